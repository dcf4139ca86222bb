"""Keeps each log's first origin, to which its openings are bound."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.add_column("log_head", sa.Column("began_as", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE log_head SET began_as = origin")


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_column("log_head", "began_as")
