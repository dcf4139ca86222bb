"""Reads: whose data has ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from consentledger.consents.models import ConsentRequest
from consentledger.consents.rules import DECLINED_KEPT
from consentledger.kernel.clock import now
from consentledger.stops.models import StopRequest


def organisations_due(session: Session) -> list[UUID]:
    """Reads the organisations in whose logs an erasure is due."""
    at = now()
    requests = select(ConsentRequest.organisation_id).where(_ended(at)).distinct()
    stops = select(StopRequest.organisation_id).where(_lapsed(at)).distinct()
    return sorted({*session.scalars(requests), *session.scalars(stops)})


def contacts_due(
    session: Session, organisation_id: UUID, *, limit: int, held: Collection[UUID] = ()
) -> list[UUID]:
    """Reads up to `limit` contacts of whom something has ended and that are not held, in the order of their ids."""
    at, but = now(), sorted(held)
    requests = (
        select(ConsentRequest.contact_id)
        .where(
            ConsentRequest.organisation_id == organisation_id,
            ConsentRequest.contact_id.not_in(but),
            _ended(at),
        )
        .limit(limit)
    )
    stops = (
        select(StopRequest.contact_id)
        .where(
            StopRequest.organisation_id == organisation_id,
            StopRequest.contact_id.is_not(None),
            StopRequest.contact_id.not_in(but),
            _lapsed(at),
        )
        .limit(limit)
    )
    found = {one for one in (*session.scalars(requests), *session.scalars(stops)) if one}
    return sorted(found)[:limit]


def _ended(at: datetime):  # type: ignore[no-untyped-def]
    # A request's own days are within the 90 that a declined one is kept.
    return or_(
        ConsentRequest.state == "expired",
        and_(ConsentRequest.state == "declined", ConsentRequest.requested_at <= at - DECLINED_KEPT),
    )


def _lapsed(at: datetime):  # type: ignore[no-untyped-def]
    return and_(StopRequest.state != "ended", StopRequest.expires_at <= at)
