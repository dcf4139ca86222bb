"""Reads of the outbox: is anything due, what waits, what was set aside for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.kernel.clock import now
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.service import BURIED, DUE


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of one kind are in one state, and since when the oldest waits; `later`: how many aren't due yet."""

    kind: str
    state: str
    rows: int
    oldest_at: datetime
    later: int


@dataclass(frozen=True, slots=True)
class Buried:
    """One piece of work that nobody tries any more; its content stays sealed."""

    organisation_id: UUID
    outbox_id: UUID
    kind: str
    attempts: int
    last_error: str | None
    made_at: datetime
    buried_at: datetime


def anything_due(session: Session, at: datetime, kinds: Sequence[str]) -> bool:
    """Says whether a lease would find work: a read, so that an idle worker never takes a lock."""
    query = (
        select(OutboxRow.outbox_id)
        .where(OutboxRow.state == DUE, OutboxRow.run_at <= at, OutboxRow.kind.in_(kinds))
        .limit(1)
    )
    return session.execute(query).first() is not None


def counts(session: Session) -> list[Count]:
    """Returns the numbers of waiting and buried rows by kind, for metrics and the console."""
    later = (OutboxRow.run_at > now()) & OutboxRow.leased_by.is_(None)
    query = (
        select(
            OutboxRow.kind,
            OutboxRow.state,
            func.count(),
            func.min(OutboxRow.made_at),
            func.count().filter(later),
        )
        .group_by(OutboxRow.kind, OutboxRow.state)
        .order_by(OutboxRow.kind, OutboxRow.state)
    )
    return [Count(*row) for row in session.execute(query).all()]


def buried(
    session: Session, organisation_id: UUID | None = None, *, limit: int = 100
) -> list[Buried]:
    """Returns buried work, latest first, of one organisation or (for the operator) of all."""
    query = (
        select(
            OutboxRow.organisation_id,
            OutboxRow.outbox_id,
            OutboxRow.kind,
            OutboxRow.attempts,
            OutboxRow.last_error,
            OutboxRow.made_at,
            OutboxRow.run_at,
        )
        .where(OutboxRow.state == BURIED)
        .order_by(OutboxRow.run_at.desc())
        .limit(limit)
    )
    if organisation_id is not None:
        query = query.where(OutboxRow.organisation_id == organisation_id)
    return [Buried(*row) for row in session.execute(query).all()]
