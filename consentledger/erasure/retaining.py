"""Retention by class: log.retention says which openings have reached their age, then they go, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact
from consentledger.db.log.entries import Draft
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import rows
from consentledger.erasure.ending import past
from consentledger.erasure.holds import held
from consentledger.erasure.models import Retention
from consentledger.erasure.rules import TECHNICAL_DAYS
from consentledger.outbox import service as outbox

RETAIN = "erasure.retain"
TECHNICAL = "technical"
AT_ONCE = 500
EVERY = timedelta(days=1)
# Entries stand in the order of their appends, their times in that of their transactions' begins.
MARGIN = timedelta(hours=1)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Round:
    """One batch: how many openings went, whether some are held, and where to go on (None: at the end)."""

    gone: int
    held: bool
    after: int | None


@dataclass(frozen=True, slots=True)
class Due:
    """What retention would destroy now: technical openings past their age, and contacts past theirs."""

    technical: int
    contacts: int


def organisations_with_logs(session: Session) -> list[UUID]:
    """Reads every organisation that has a log."""
    return list(session.scalars(select(LogHead.organisation_id).order_by(LogHead.organisation_id)))


def log_retention(tx: Tx, organisation_id: UUID) -> bool:
    """Appends log.retention for openings that have reached their age, at most daily, and enqueues their end."""
    row = _row(tx, organisation_id)
    if row.logged_at > tx.now - EVERY:
        return False
    size = _aged(tx.session, organisation_id, row.size, tx.now)
    if not _openings(tx.session, organisation_id, row.size, size):
        return False
    first, row.size, row.logged_at = row.size, size, tx.now
    tx.session.flush()
    plain = {
        "class": TECHNICAL,
        "days": str(TECHNICAL_DAYS),
        "first": str(first),
        "size": str(size),
    }
    payload = {"class": TECHNICAL, "first": first, "size": size}
    outbox.enqueue(tx, organisation_id, RETAIN, payload)
    tx.log.append(tx, organisation_id, [Draft("log.retention", {}, actor="worker", plain=plain)])
    return True


def destroy_retained(
    tx: Tx, organisation_id: UUID, payload: Mapping[str, Any], after: int = -1
) -> Round:
    """Destroys one batch behind the index `after`; payload of the outbox kind `erasure.retain`.

    What a legal hold covers is left; whoever calls comes again for it.
    """
    covered = held(tx.session, organisation_id)
    found = tx.session.execute(
        select(Opening.entry_index, Opening.key_id)
        .where(
            Opening.organisation_id == organisation_id,
            Opening.entry_index >= max(payload["first"], after + 1),
            Opening.entry_index < payload["size"],
            Opening.opening_class == payload["class"],
        )
        .order_by(Opening.entry_index)
        .limit(AT_ONCE)
    ).all()
    keys = set(
        tx.session.scalars(
            select(Contact.key_id).where(
                Contact.organisation_id == organisation_id,
                Contact.contact_id.in_(sorted(covered.contacts)),
            )
        )
    )
    free = [row.entry_index for row in found if row.key_id not in keys and not covered.everything]
    gone = rows.execute_delete(
        tx,
        delete(Opening).where(
            Opening.organisation_id == organisation_id,
            Opening.entry_index.in_(free),
            Opening.opening_class == payload["class"],
        ),
    )
    last = found[-1].entry_index if len(found) == AT_ONCE else None
    return Round(gone, len(free) < len(found), last)


def due(session: Session, organisation_id: UUID, at: datetime, retention_days: int) -> Due:
    """Counts what retention would destroy at `at`, and changes nothing."""
    size = _aged(session, organisation_id, 0, at)
    cutoff = at - timedelta(days=retention_days)
    people = select(func.count()).select_from(past(organisation_id, cutoff).subquery())
    return Due(_openings(session, organisation_id, 0, size), session.scalar(people) or 0)


def _row(tx: Tx, organisation_id: UUID) -> Retention:
    dialect = sqlite if tx.database.name == "sqlite" else postgresql
    tx.session.execute(
        dialect.insert(Retention)
        .values(
            organisation_id=organisation_id,
            opening_class=TECHNICAL,
            days=TECHNICAL_DAYS,
            size=0,
            logged_at=_NEVER,
        )
        .on_conflict_do_nothing()
    )
    key = (organisation_id, TECHNICAL)
    return tx.session.get_one(Retention, key, with_for_update=True)


def _openings(session: Session, organisation_id: UUID, first: int, size: int) -> int:
    query = select(func.count()).where(
        Opening.organisation_id == organisation_id,
        Opening.entry_index >= first,
        Opening.entry_index < size,
        Opening.opening_class == TECHNICAL,
    )
    return session.scalar(query) or 0


def _aged(session: Session, organisation_id: UUID, first: int, at: datetime) -> int:
    """Returns the first index whose entry is younger than the days, by bisection over the appends' times."""
    cutoff = at - timedelta(days=TECHNICAL_DAYS) - MARGIN
    high = session.scalar(select(LogHead.size).where(LogHead.organisation_id == organisation_id))
    low, high = first, high or 0
    while low < high:
        middle = (low + high) // 2
        appended_at = session.scalar(
            select(LogLeaf.appended_at).where(
                LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index == middle
            )
        )
        if appended_at is not None and appended_at <= cutoff:
            low = middle + 1
        else:
            high = middle
    return low
