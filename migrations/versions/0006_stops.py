"""Makes the tables of used links and stops by address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "link_use",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("link_id", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "capability", "link_id", "scope", name=op.f("pk_link_use")
        ),
    )
    op.create_table(
        "stop_request",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("sender_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "link_id", name=op.f("pk_stop_request")),
    )
    op.create_index(
        op.f("ix_stop_request_expires_at"), "stop_request", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_stop_request_organisation_id_contact_id"),
        "stop_request",
        ["organisation_id", "contact_id"],
        unique=False,
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_index(op.f("ix_stop_request_organisation_id_contact_id"), table_name="stop_request")
    op.drop_index(op.f("ix_stop_request_expires_at"), table_name="stop_request")
    op.drop_table("stop_request")
    op.drop_table("link_use")
