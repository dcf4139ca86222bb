"""Makes the tables of what a marketer publishes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "form",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "form_id", name=op.f("pk_form")),
        sa.UniqueConstraint("form_id", name=op.f("uq_form_form_id")),
    )
    op.create_table(
        "form_version",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", Json(), nullable=False),
        sa.Column("text_blob", sa.LargeBinary(), nullable=False),
        sa.Column("notice_blob", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organisation_id", "form_id", "version", name=op.f("pk_form_version")
        ),
    )
    op.create_table(
        "organisation",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("ip_policy", sa.Text(), nullable=False),
        sa.Column("request_days", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("log_id", name=op.f("uq_organisation_log_id")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
        sa.UniqueConstraint("number", name=op.f("uq_organisation_number")),
    )
    op.create_table(
        "purpose",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("purpose_class", sa.Text(), nullable=False),
        sa.Column("titles", Json(), nullable=False),
        sa.Column("channels", Json(), nullable=False),
        sa.Column("categories", Json(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "purpose_id", name=op.f("pk_purpose")),
    )
    op.create_table(
        "sender",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("link_host", sa.Text(), nullable=True),
        sa.Column("sealed_transport", sa.LargeBinary(), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "sender_id", name=op.f("pk_sender")),
    )
    op.create_table(
        "wording",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("wording_id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", Json(), nullable=False),
        sa.Column("text_blob", sa.LargeBinary(), nullable=True),
        sa.Column("notice_blob", sa.LargeBinary(), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "wording_id", name=op.f("pk_wording")),
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_table("wording")
    op.drop_table("sender")
    op.drop_table("purpose")
    op.drop_table("organisation")
    op.drop_table("form_version")
    op.drop_table("form")
