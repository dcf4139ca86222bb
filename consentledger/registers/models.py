"""Tables of external registers: imports, and the salted hashes of what each lists."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, organisation_key_column


class RegisterImport(Base):
    """One import of a register; `number` counts a register's imports from 1, those given up included.

    `state`: loading, current, replaced, given_up (by whoever began it), or forgotten (what only older imports held is
    deleted). `sealed_salt` opens with the organisation's key; `matched` of ledger.register.MATCHED; `blocks` of
    registers.tree.Summary. `entry_index` is null while it loads; `touched_at` moves with every batch, so that one that
    stands still can be given up.
    """

    __tablename__ = "register_import"
    organisation_id: Mapped[UUID] = organisation_key_column()
    register: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str]
    as_of: Mapped[datetime]
    count: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes | None]
    blocks: Mapped[bytes | None]
    matched: Mapped[str]
    sealed_salt: Mapped[bytes]
    source: Mapped[str]
    file: Mapped[str]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)
    imported_at: Mapped[datetime]
    touched_at: Mapped[datetime]


class RegisterEntry(Base):
    """One hash that a register lists: from import `first` on, until import `gone`, which has it no more."""

    __tablename__ = "register_entry"
    organisation_id: Mapped[UUID] = organisation_key_column()
    register: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    gone: Mapped[int | None] = mapped_column(Integer)
    __table_args__ = (
        Index(None, "organisation_id", "register", "gone"),
        CheckConstraint("length(hash) = 32", name="hash_length"),
    )
