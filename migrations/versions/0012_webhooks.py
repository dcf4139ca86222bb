"""Makes the tables of webhooks."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""


def downgrade() -> None:
    """Undoes this revision."""
