"""Reads of webhooks; never their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.webhooks.models import Webhook


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """A webhook without its secrets."""

    webhook_id: UUID
    url: str
    events: tuple[str, ...]
    state: str
    created_at: datetime
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None


def webhooks(
    session: Session, organisation_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> list[WebhookFacts]:
    """Reads one page of an organisation's webhooks, oldest first."""
    query = (
        select(Webhook)
        .where(Webhook.organisation_id == organisation_id)
        .order_by(Webhook.webhook_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Webhook.webhook_id > after)
    return [_facts(row) for row in session.scalars(query)]


def _facts(row: Webhook) -> WebhookFacts:
    return WebhookFacts(
        webhook_id=row.webhook_id,
        url=row.url,
        events=tuple(row.events),
        state=row.state,
        created_at=row.created_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )
