"""The table of work to be done outside a transaction: at least once, payload sealed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


class OutboxRow(Base):
    """One piece of work; `state` is due or buried; leased while a worker is at it; deleted when done.

    `sealed` opens with the contact's key `key_id`, or with the organisation's when that is null.
    """

    __tablename__ = "outbox"
    organisation_id: Mapped[UUID] = organisation_key_column()
    outbox_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key_id: Mapped[UUID | None]
    sealed: Mapped[bytes]
    state: Mapped[str]
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer)
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None]
    last_error: Mapped[str | None]
    made_at: Mapped[datetime]
    __table_args__ = (Index(None, "state", "run_at"),)
