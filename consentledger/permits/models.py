"""Tables of permits: what all messages of a batch share stands once, a row per recipient is small."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class PermitBatch(Base):
    """One batch: the message's facts, the verdict texts its rows point to, and its entry in the log."""

    __tablename__ = "permit_batch"
    organisation_id: Mapped[UUID] = organisation_key_column()
    batch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_index: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    sender_id: Mapped[UUID]
    purpose_id: Mapped[UUID]
    channel: Mapped[str]
    message: Mapped[dict[str, Any]] = mapped_column(Json)
    verdicts: Mapped[list[Any]] = mapped_column(Json)
    issued_at: Mapped[datetime]
    valid_until_at: Mapped[datetime]


class Permit(Base):
    """One recipient of a batch. No foreign key, so that no row lock is taken behind the head.

    Erased: `contact_id` is null, `salt` 16 zero bytes, and `line_hash` keeps the line's hash in the batch.
    """

    __tablename__ = "permit"
    organisation_id: Mapped[UUID] = organisation_key_column()
    batch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    contact_id: Mapped[UUID | None]
    verdict: Mapped[int] = mapped_column(SmallInteger)
    salt: Mapped[bytes]
    line_hash: Mapped[bytes | None]
    __table_args__ = (
        Index(None, "organisation_id", "contact_id"),
        CheckConstraint("length(salt) = 16", name="salt_length"),
    )


class PermitVoid(Base):
    """One taking back of permits by the marketer; no `row_numbers`: all of the batch's, as its entry says it."""

    __tablename__ = "permit_void"
    organisation_id: Mapped[UUID] = organisation_key_column()
    entry_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    batch: Mapped[int] = mapped_column(BigInteger)
    row_numbers: Mapped[list[int]] = mapped_column(Json)
    voided_at: Mapped[datetime]
    __table_args__ = (Index(None, "organisation_id", "batch"),)
