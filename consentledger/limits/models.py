"""The table of counters per window; keys are keyed hashes, so that no address or network stands in it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base


class RateLimit(Base):
    """How often one key was counted in one window; rows are swept after `ends_at`.

    Written by db.counters alone, on PostgreSQL; on SQLite it stays empty, for counters are a file of their own.
    """

    __tablename__ = "rate_limit"
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    window: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime]
    __table_args__ = (Index(None, "ends_at"),)


class MailCap(Base):
    """One confirmation mail that counts until `until_at`; what it counts against is a keyed hash.

    `spelling` is the keyed hash of the address as it was spelled, in an organisation's own row; null in a row
    over all organisations, which names neither organisation nor contact.
    """

    __tablename__ = "mail_cap"
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    spelling: Mapped[bytes | None]
    until_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("length(key_hash) = 32", name="hash_length"),
        Index(None, "until_at"),
    )
