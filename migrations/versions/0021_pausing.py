"""Forms that pause themselves, and what becomes of disposable and role addresses."""

from __future__ import annotations

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""


def downgrade() -> None:
    """Takes this revision back."""
