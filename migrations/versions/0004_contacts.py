"""Makes the tables of contacts and suppression."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "contact",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("standing", Json(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("last_leaf_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("touched_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "contact_id", name=op.f("pk_contact")),
        sa.UniqueConstraint(
            "organisation_id", "lookup", name=op.f("uq_contact_organisation_id_lookup")
        ),
    )
    op.create_index(
        op.f("ix_contact_organisation_id_key_id"),
        "contact",
        ["organisation_id", "key_id"],
        unique=False,
    )
    op.create_index(op.f("ix_contact_touched_at"), "contact", ["touched_at"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "hash", "scope", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("suppression")
    op.drop_index(op.f("ix_contact_touched_at"), table_name="contact")
    op.drop_index(op.f("ix_contact_organisation_id_key_id"), table_name="contact")
    op.drop_table("contact")
