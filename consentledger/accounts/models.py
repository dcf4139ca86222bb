"""Tables of API keys and of answers kept for a repeated Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class ApiKey(Base):
    """One bearer key: only its hash is kept; `scopes` says what it may do."""

    __tablename__ = "api_key"
    organisation_id: Mapped[UUID] = organisation_key_column()
    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("length(secret_hash) = 32", name="hash_length"),
        UniqueConstraint("key_id"),  # a key's id alone finds its organisation
    )


class IdempotentAnswer(Base):
    """The answer to a POST, sealed under the organisation's key; `status` null while the first one runs."""

    __tablename__ = "idempotent_answer"
    organisation_id: Mapped[UUID] = organisation_key_column()
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None] = mapped_column(Integer)
    sealed: Mapped[bytes | None]
    kept_until: Mapped[datetime]
    __table_args__ = (Index(None, "kept_until"),)
