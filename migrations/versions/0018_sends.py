"""Makes the tables of reports: what became of permitted messages, and when a contact was last written to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "message_batch",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("shapes", Json(), nullable=False),
        sa.Column("reported_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "batch", name=op.f("pk_message_batch")),
    )
    op.create_table(
        "message_sent",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("permit_batch", sa.BigInteger(), nullable=False),
        sa.Column("permit_row", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("shape", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("message_hash", sa.LargeBinary(), nullable=True),
        sa.Column("headers_hash", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("line_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(salt) = 16", name=op.f("ck_message_sent_salt_length")),
        sa.PrimaryKeyConstraint(
            "organisation_id", "batch", "row_number", name=op.f("pk_message_sent")
        ),
    )
    for columns in (["contact_id"], ["permit_batch", "permit_row"], ["message_hash"]):
        name = f"ix_message_sent_organisation_id_{'_'.join(columns)}"
        op.create_index(op.f(name), "message_sent", ["organisation_id", *columns])
    op.create_table(
        "last_send",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("renewed_on", sa.Date(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "contact_id", "channel", name=op.f("pk_last_send")
        ),
    )
    op.create_index(
        op.f("ix_last_send_organisation_id_entry_index"),
        "last_send",
        ["organisation_id", "entry_index"],
    )


def downgrade() -> None:
    """Undoes this revision."""
    for name in ("last_send", "message_sent", "message_batch"):
        op.drop_table(name)
