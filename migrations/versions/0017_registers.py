"""Makes the tables of external registers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "register_import",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("blocks", sa.LargeBinary(), nullable=True),
        sa.Column("matched", sa.Text(), nullable=False),
        sa.Column("sealed_salt", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.Column("touched_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "register", "number", name=op.f("pk_register_import")
        ),
    )
    op.create_table(
        "register_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("gone", sa.Integer(), nullable=True),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_register_entry_hash_length")),
        sa.PrimaryKeyConstraint(
            "organisation_id", "register", "hash", "first", name=op.f("pk_register_entry")
        ),
    )
    op.create_index(
        op.f("ix_register_entry_organisation_id_register_gone"),
        "register_entry",
        ["organisation_id", "register", "gone"],
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("register_entry")
    op.drop_table("register_import")
