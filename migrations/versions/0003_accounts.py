"""Makes the tables of API keys and kept answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "api_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint("length(secret_hash) = 32", name=op.f("ck_api_key_hash_length")),
        sa.PrimaryKeyConstraint("organisation_id", "key_id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_id", name=op.f("uq_api_key_key_id")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("kept_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "key_hash", name=op.f("pk_idempotent_answer")),
    )
    op.create_index(
        op.f("ix_idempotent_answer_kept_until"), "idempotent_answer", ["kept_until"], unique=False
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_index(op.f("ix_idempotent_answer_kept_until"), table_name="idempotent_answer")
    op.drop_table("idempotent_answer")
    op.drop_table("api_key")
