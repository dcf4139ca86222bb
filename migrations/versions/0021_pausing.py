"""Forms that pause themselves, and what becomes of disposable and role addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

POLICIES = ("disposable_policy", "role_policy")


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("form", sa.Column("paused", Json(), nullable=True))
    op.add_column("form", sa.Column("counted_from", Instant(), nullable=True))
    for name in POLICIES:
        column = sa.Column(name, sa.Text(), server_default="flag", nullable=False)
        op.add_column("organisation", column)
    op.add_column("consent_request", sa.Column("flags", Json(), nullable=True))


def downgrade() -> None:
    """Takes this revision back."""
    op.drop_column("consent_request", "flags")
    for name in reversed(POLICIES):
        op.drop_column("organisation", name)
    op.drop_column("form", "counted_from")
    op.drop_column("form", "paused")
