"""Makes the tables of erasures, legal holds, restrictions and retention; permits keep their line's hash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "erasure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("entry_number", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("logged_at", Instant(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=True),
        sa.Column("destroyed_at", Instant(), nullable=True),
        sa.Column("kept_until", Instant(), nullable=True),
        sa.Column("gone", Json(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "erasure_id", name=op.f("pk_erasure")),
    )
    op.create_index(
        op.f("ix_erasure_organisation_id_contact_id"), "erasure", ["organisation_id", "contact_id"]
    )
    op.create_index(op.f("ix_erasure_state_due_at"), "erasure", ["state", "due_at"])
    op.create_table(
        "erasure_policy",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("keep_for_claims_days", sa.Integer(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_erasure_policy")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "hold_id", name=op.f("pk_legal_hold")),
    )
    op.create_table(
        "restriction",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "erasure_id", name=op.f("pk_restriction")),
    )
    op.create_index(op.f("ix_restriction_until_at"), "restriction", ["until_at"])
    op.create_table(
        "retention",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("opening_class", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("logged_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "opening_class", name=op.f("pk_retention")),
    )
    op.add_column("permit", sa.Column("line_hash", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_column("permit", "line_hash")
    op.drop_table("retention")
    op.drop_index(op.f("ix_restriction_until_at"), table_name="restriction")
    op.drop_table("restriction")
    op.drop_table("legal_hold")
    op.drop_table("erasure_policy")
    op.drop_index(op.f("ix_erasure_state_due_at"), table_name="erasure")
    op.drop_index(op.f("ix_erasure_organisation_id_contact_id"), table_name="erasure")
    op.drop_table("erasure")
