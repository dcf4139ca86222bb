"""The table of addresses that are told; the secrets that sign for them are kept sealed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from consentledger.db.base import Base, Json, organisation_key_column


class Webhook(Base):
    """One address of an organisation's own; `state` is live or paused.

    `sealed_secrets` opens with the organisation's key (service.open_secrets).
    """

    __tablename__ = "webhook"
    organisation_id: Mapped[UUID] = organisation_key_column()
    webhook_id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(Json)
    sealed_secrets: Mapped[bytes]
    state: Mapped[str]
    created_at: Mapped[datetime]
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
