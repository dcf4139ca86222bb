"""Makes the tables of permit batches and permits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "permit",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(salt) = 16", name=op.f("ck_permit_salt_length")),
        sa.PrimaryKeyConstraint("organisation_id", "batch", "row_number", name=op.f("pk_permit")),
    )
    op.create_index(
        op.f("ix_permit_organisation_id_contact_id"),
        "permit",
        ["organisation_id", "contact_id"],
        unique=False,
    )
    op.create_table(
        "permit_batch",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message", Json(), nullable=False),
        sa.Column("verdicts", Json(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("valid_until_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "batch", name=op.f("pk_permit_batch")),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("permit_batch")
    op.drop_index(op.f("ix_permit_organisation_id_contact_id"), table_name="permit")
    op.drop_table("permit")
