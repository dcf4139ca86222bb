"""How many confirmation mails one address gets in a day, over all organisations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "cap_key",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_cap_key")),
    )
    op.create_table(
        "mail_cap",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("spelling", sa.LargeBinary(), nullable=True),
        sa.Column("until_at", Instant(), nullable=False),
        sa.CheckConstraint("length(key_hash) = 32", name=op.f("ck_mail_cap_hash_length")),
        sa.PrimaryKeyConstraint("key_hash", "slot", name=op.f("pk_mail_cap")),
    )
    op.create_index(op.f("ix_mail_cap_until_at"), "mail_cap", ["until_at"])
    op.create_index(
        op.f("ix_confirmation_mail_organisation_id_address_hash"),
        "confirmation_mail",
        ["organisation_id", "address_hash"],
    )


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_index(
        op.f("ix_confirmation_mail_organisation_id_address_hash"), table_name="confirmation_mail"
    )
    op.drop_table("mail_cap")
    op.drop_table("cap_key")
