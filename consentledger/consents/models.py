"""Tables of requests, the confirmation mails that ask, and the consents that come of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class ConsentRequest(Base):
    """One accepted post with all its purposes, each with its state.

    `entry_numbers` say which of its contact's entries are its own (n of their labels, known before the
    append); their openings are erased when it expires. `flags` are kinds of its address that the organisation
    wants to know of (contacts.address_kinds), None when there is none.
    """

    __tablename__ = "consent_request"
    organisation_id: Mapped[UUID] = organisation_key_column()
    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID]
    state: Mapped[str]
    sender_id: Mapped[UUID]
    channel: Mapped[str]
    language: Mapped[str]
    form_id: Mapped[UUID | None]
    form_version: Mapped[int | None] = mapped_column(Integer)
    purposes: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    page: Mapped[str | None]
    link_id: Mapped[bytes | None]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    entry_numbers: Mapped[list[int]] = mapped_column(Json)
    flags: Mapped[list[str] | None] = mapped_column(Json)
    __table_args__ = (
        Index(None, "organisation_id", "contact_id"),
        Index(None, "organisation_id", "link_id"),
        Index(None, "expires_at"),
    )


class ConfirmationMail(Base):
    """One confirmation link. After its expiry only `address_hash` is left, so that `not me` still works."""

    __tablename__ = "confirmation_mail"
    organisation_id: Mapped[UUID] = organisation_key_column()
    link_id: Mapped[bytes] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID | None]
    address_hash: Mapped[bytes]
    sender_id: Mapped[UUID]
    language: Mapped[str]
    message_id: Mapped[str]
    state: Mapped[str]
    outcome: Mapped[str | None]
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    closes_at: Mapped[datetime]
    fetches: Mapped[int] = mapped_column(Integer)
    first_fetch_at: Mapped[datetime | None]
    __table_args__ = (
        Index(None, "organisation_id", "contact_id"),
        Index(None, "organisation_id", "address_hash"),
        Index(None, "closes_at"),
    )


class Consent(Base):
    """(contact, sender, purpose, channel) and its state; one row each, the log has its history.

    `entry_number` says which of its contact's entries made this state (n of the entry's label).
    """

    __tablename__ = "consent"
    organisation_id: Mapped[UUID] = organisation_key_column()
    consent_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID]
    sender_id: Mapped[UUID]
    purpose_id: Mapped[UUID]
    channel: Mapped[str]
    state: Mapped[str]
    request_id: Mapped[UUID | None]
    wording_id: Mapped[UUID | None]
    link_id: Mapped[bytes | None]
    confirmed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    entry_number: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint(
            "organisation_id",
            "contact_id",
            "sender_id",
            "purpose_id",
            "channel",
            name="uq_consent_act",
        ),
    )
