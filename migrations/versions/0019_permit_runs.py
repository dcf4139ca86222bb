"""Permits asked for in bulk, that go on where they stopped; and permits that were taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "permit_run",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=True),
        sa.Column("held_until", Instant(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("kept_until", Instant(), nullable=False),
        sa.CheckConstraint("length(key_hash) = 32", name=op.f("ck_permit_run_hash_length")),
        sa.PrimaryKeyConstraint("organisation_id", "key_hash", name=op.f("pk_permit_run")),
    )
    op.create_index(op.f("ix_permit_run_kept_until"), "permit_run", ["kept_until"])
    op.create_table(
        "permit_run_batch",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("last_line", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", Instant(), nullable=False),
        sa.CheckConstraint("length(key_hash) = 32", name=op.f("ck_permit_run_batch_hash_length")),
        sa.PrimaryKeyConstraint(
            "organisation_id", "key_hash", "position", name=op.f("pk_permit_run_batch")
        ),
    )
    op.create_index(op.f("ix_permit_run_batch_kept_until"), "permit_run_batch", ["kept_until"])
    op.create_table(
        "permit_void",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("row_numbers", Json(), nullable=False),
        sa.Column("voided_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "entry_index", name=op.f("pk_permit_void")),
    )
    op.create_index(
        op.f("ix_permit_void_organisation_id_batch"), "permit_void", ["organisation_id", "batch"]
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("permit_void")
    op.drop_table("permit_run_batch")
    op.drop_table("permit_run")
