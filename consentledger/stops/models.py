"""Tables of used stop links and of stops asked for by address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


class LinkUse(Base):
    """The first act of a link, so that a repeat can give the same receipt; `link_id` is the 8 bytes of the id."""

    __tablename__ = "link_use"
    organisation_id: Mapped[UUID] = organisation_key_column()
    capability: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[bytes] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    entry_index: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[datetime]


class StopRequest(Base):
    """A stop by address: paused at once for 7 days, final when the person presses the mailed link."""

    __tablename__ = "stop_request"
    organisation_id: Mapped[UUID] = organisation_key_column()
    link_id: Mapped[bytes] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID | None]
    sender_id: Mapped[UUID | None]
    language: Mapped[str]
    state: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (Index(None, "organisation_id", "contact_id"), Index(None, "expires_at"))
