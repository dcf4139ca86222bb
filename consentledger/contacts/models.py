"""Tables of contacts, of the keyed hashes that outlive them, and of links that were used."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class Contact(Base):
    """One address as one organisation knows it.

    `lookup` is a keyed hash, the address itself is sealed under the contact's own key. `entries` and
    `last_leaf_hash` are the contact's place in the log (labels and `prev`): written by db.log only.
    `standing` is the one row of facts that permits are decided from: written by the slices' verbs.
    """

    __tablename__ = "contact"
    organisation_id: Mapped[UUID] = organisation_key_column()
    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    lookup: Mapped[bytes]
    key_id: Mapped[UUID]
    sealed_address: Mapped[bytes]
    standing: Mapped[dict[str, Any]] = mapped_column(Json)
    entries: Mapped[int] = mapped_column(BigInteger)
    last_leaf_hash: Mapped[bytes | None]
    created_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("organisation_id", "lookup"),
        Index(None, "organisation_id", "key_id"),
        Index(None, "touched_at"),
    )


class Suppression(Base):
    """A keyed hash that keeps a refusal alive without the address; scope `confirmation` blocks confirmation mails."""

    __tablename__ = "suppression"
    organisation_id: Mapped[UUID] = organisation_key_column()
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    recorded_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class LinkUse(Base):
    """The first act of a link, so that a repeat can give the same receipt; `link_id` is the 8 bytes of the id."""

    __tablename__ = "link_use"
    organisation_id: Mapped[UUID] = organisation_key_column()
    capability: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[bytes] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    entry_index: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[datetime]


class LastSend(Base):
    """The last marketing message to a contact on a channel that was reported sent as permitted: clocks run from it.

    `sent_on` is its day in UTC; `renewed_on` that of the last one whose permit rested on the existing-customer
    exception, None without; `entry_index` the first `message.sent` that told of both.
    """

    __tablename__ = "last_send"
    organisation_id: Mapped[UUID] = organisation_key_column()
    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    sent_on: Mapped[date] = mapped_column(Date)
    renewed_on: Mapped[date | None] = mapped_column(Date)
    entry_index: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "organisation_id", "entry_index"),)
