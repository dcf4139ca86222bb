"""The table of stops asked for by address; used links stand in contacts.models."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


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
