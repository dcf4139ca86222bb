"""The rule packs that an organisation adopted, and its product categories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "adopted_pack",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("stricter", Json(), nullable=False),
        sa.Column("accepts", Json(), nullable=False),
        sa.Column("adopted_at", Instant(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "pack", "version", name=op.f("pk_adopted_pack")),
    )
    op.create_table(
        "category_tree",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("categories", Json(), nullable=False),
        sa.Column("groups", Json(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "version", name=op.f("pk_category_tree")),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("category_tree")
    op.drop_table("adopted_pack")
