"""Tables of erasures, legal holds, restrictions, and how far retention has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class Erasure(Base):
    """One person's erasure, and afterwards its receipt; `state` is one of rules.STATES.

    `contact_id` is null once the contact is gone. `entry_number` is how many entries the contact had when
    it was asked for: what a person does later is no part of it. `entry_index` and `leaf_hash` are those of
    the first `log.erasure` that covers it, `gone` counts what was destroyed, by table.
    """

    __tablename__ = "erasure"
    organisation_id: Mapped[UUID] = organisation_key_column()
    erasure_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    ground: Mapped[str]
    actor: Mapped[str]
    contact_id: Mapped[UUID | None]
    entry_number: Mapped[int] = mapped_column(BigInteger)
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime]
    logged_at: Mapped[datetime | None]
    entry_index: Mapped[int | None] = mapped_column(BigInteger)
    leaf_hash: Mapped[bytes | None]
    destroyed_at: Mapped[datetime | None]
    kept_until: Mapped[datetime | None]
    gone: Mapped[dict[str, Any] | None] = mapped_column(Json)
    __table_args__ = (
        Index(None, "organisation_id", "contact_id"),
        Index(None, "state", "due_at"),
    )


class ErasurePolicy(Base):
    """How long an organisation keeps; without a row the defaults of erasure.rules hold."""

    __tablename__ = "erasure_policy"
    organisation_id: Mapped[UUID] = organisation_key_column()
    keep_for_claims_days: Mapped[int] = mapped_column(Integer)
    retention_days: Mapped[int] = mapped_column(Integer)


class LegalHold(Base):
    """While it is not released, nothing of its contact (null: of the whole organisation) is destroyed."""

    __tablename__ = "legal_hold"
    organisation_id: Mapped[UUID] = organisation_key_column()
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID | None]
    reason: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]


class Restriction(Base):
    """Evidence kept for legal claims only: `sealed` opens with the escrow key, which is not here.

    It holds what the openings of `key_id` open with; `state` is kept, or ending once its end is logged.
    """

    __tablename__ = "restriction"
    organisation_id: Mapped[UUID] = organisation_key_column()
    erasure_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID]
    sealed: Mapped[bytes]
    made_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[str]
    __table_args__ = (Index(None, "until_at"),)


class Retention(Base):
    """How far `log.retention` has come for one class: openings of entries below `size` may go."""

    __tablename__ = "retention"
    organisation_id: Mapped[UUID] = organisation_key_column()
    opening_class: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)
    logged_at: Mapped[datetime]
