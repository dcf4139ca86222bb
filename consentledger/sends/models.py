"""Tables of reports: what became of permitted messages, in batches, a small row each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class MessageBatch(Base):
    """One batch of reports: its entry in the log, and what many of its rows share (channel, basis, status, flags)."""

    __tablename__ = "message_batch"
    organisation_id: Mapped[UUID] = organisation_key_column()
    batch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    shapes: Mapped[list[Any]] = mapped_column(Json)
    reported_at: Mapped[datetime]


class MessageSent(Base):
    """One report about one permit; no foreign key. `shape` points into the batch's shapes.

    Erased: `contact_id` and both hashes are null, `salt` 16 zero bytes, and `line_hash` keeps the line's hash.
    """

    __tablename__ = "message_sent"
    organisation_id: Mapped[UUID] = organisation_key_column()
    batch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    permit_batch: Mapped[int] = mapped_column(BigInteger)
    permit_row: Mapped[int] = mapped_column(Integer)
    contact_id: Mapped[UUID | None]
    shape: Mapped[int] = mapped_column(SmallInteger)
    sent_at: Mapped[datetime]
    message_hash: Mapped[bytes | None]
    headers_hash: Mapped[bytes | None]
    salt: Mapped[bytes]
    line_hash: Mapped[bytes | None]
    __table_args__ = (
        Index(None, "organisation_id", "contact_id"),
        Index(None, "organisation_id", "permit_batch", "permit_row"),
        Index(None, "organisation_id", "message_hash"),
        CheckConstraint("length(salt) = 16", name="salt_length"),
    )
