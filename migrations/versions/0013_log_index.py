"""Makes the table of sorted labels."""

from __future__ import annotations

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""


def downgrade() -> None:
    """Undoes this revision."""
