"""Tables of runs: which batches a request without end has committed, for as long as its key may come again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


class PermitRun(Base):
    """One request under one Idempotency-Key. Whose it is at the moment: `holder`, until `held_until`.

    The hash of what was asked stands in the key's idempotent_answer.
    """

    __tablename__ = "permit_run"
    organisation_id: Mapped[UUID] = organisation_key_column()
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    holder: Mapped[bytes | None]
    held_until: Mapped[datetime]
    done: Mapped[bool]
    kept_until: Mapped[datetime]
    __table_args__ = (
        Index(None, "kept_until"),
        CheckConstraint("length(key_hash) = 32", name="hash_length"),
    )


class PermitRunBatch(Base):
    """One committed batch of a run: its number, the lines it answers, and what its answer needs again, sealed."""

    __tablename__ = "permit_run_batch"
    organisation_id: Mapped[UUID] = organisation_key_column()
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    batch: Mapped[int] = mapped_column(BigInteger)
    first_line: Mapped[int] = mapped_column(BigInteger)
    last_line: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes]
    kept_until: Mapped[datetime]
    __table_args__ = (
        Index(None, "kept_until"),
        CheckConstraint("length(key_hash) = 32", name="hash_length"),
    )
