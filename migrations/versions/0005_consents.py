"""Makes the tables of requests, confirmation mails and consents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentledger.db.base import Instant, Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies this revision."""
    op.create_table(
        "confirmation_mail",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.LargeBinary(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("closes_at", Instant(), nullable=False),
        sa.Column("fetches", sa.Integer(), nullable=False),
        sa.Column("first_fetch_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "link_id", name=op.f("pk_confirmation_mail")),
    )
    op.create_index(
        op.f("ix_confirmation_mail_closes_at"), "confirmation_mail", ["closes_at"], unique=False
    )
    op.create_index(
        op.f("ix_confirmation_mail_organisation_id_contact_id"),
        "confirmation_mail",
        ["organisation_id", "contact_id"],
        unique=False,
    )
    op.create_table(
        "consent",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("wording_id", sa.Uuid(), nullable=True),
        sa.Column("link_id", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("entry_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "consent_id", name=op.f("pk_consent")),
        sa.UniqueConstraint(
            "organisation_id",
            "contact_id",
            "sender_id",
            "purpose_id",
            "channel",
            name="uq_consent_act",
        ),
    )
    op.create_table(
        "consent_request",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("form_version", sa.Integer(), nullable=True),
        sa.Column("purposes", Json(), nullable=False),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("link_id", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("entry_numbers", Json(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "request_id", name=op.f("pk_consent_request")),
    )
    op.create_index(
        op.f("ix_consent_request_expires_at"), "consent_request", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_consent_request_organisation_id_contact_id"),
        "consent_request",
        ["organisation_id", "contact_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_consent_request_organisation_id_link_id"),
        "consent_request",
        ["organisation_id", "link_id"],
        unique=False,
    )


def downgrade() -> None:
    """Undoes this revision."""
    op.drop_index(op.f("ix_consent_request_organisation_id_link_id"), table_name="consent_request")
    op.drop_index(
        op.f("ix_consent_request_organisation_id_contact_id"), table_name="consent_request"
    )
    op.drop_index(op.f("ix_consent_request_expires_at"), table_name="consent_request")
    op.drop_table("consent_request")
    op.drop_table("consent")
    op.drop_index(
        op.f("ix_confirmation_mail_organisation_id_contact_id"), table_name="confirmation_mail"
    )
    op.drop_index(op.f("ix_confirmation_mail_closes_at"), table_name="confirmation_mail")
    op.drop_table("confirmation_mail")
