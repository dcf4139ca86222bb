"""How many confirmation mails one address gets in a day, over all organisations."""

from __future__ import annotations

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""


def downgrade() -> None:
    """Takes this revision back."""
