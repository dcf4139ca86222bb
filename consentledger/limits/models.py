"""The table of counters per window; keys are keyed hashes, so that no address or network stands in it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base


class RateLimit(Base):
    """How often one key was counted in one window; rows are swept after `ends_at`."""

    __tablename__ = "rate_limit"
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    window: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime]
    __table_args__ = (Index(None, "ends_at"),)
