"""Makes the tables of a key store of its own: the keys, and whose they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "k0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "contact_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "key_id", name=op.f("pk_contact_key")),
    )
    op.create_index(op.f("ix_contact_key_made_at"), "contact_key", ["made_at"], unique=False)
    op.create_table(
        "organisation_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "use", "version", name=op.f("pk_organisation_key")
        ),
    )
    op.create_table(
        "key_store_owner",
        sa.Column("owner_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("guard_id", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.CheckConstraint("owner_id = 1", name=op.f("ck_key_store_owner_one_row")),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_key_store_owner")),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("key_store_owner")
    op.drop_table("organisation_key")
    op.drop_index(op.f("ix_contact_key_made_at"), table_name="contact_key")
    op.drop_table("contact_key")
