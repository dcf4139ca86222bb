"""Keys of days, under which it is counted how many mails an address gets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "k0002"
down_revision = "k0001"
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


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("cap_key")
