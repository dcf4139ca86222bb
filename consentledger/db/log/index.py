"""The daily `log.index`: which labels a range of entries carries, so that the others can be shown absent.

Ranges follow one another from entry 0 without gap. Once a UTC day, and whenever many entries have come, the range
behind the last one is closed: its leaves never change, so their labels are read before the head is locked. Two workers
at once can't close it twice: under the lock the last index must still be the one that was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, aliased

from consentledger.db.engine import Database
from consentledger.db.log.entries import Draft
from consentledger.db.log.labels import RANGE, derived_index, index_leaves, labels_of_range
from consentledger.db.models import LogHead, LogIndex, LogLeaf
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConsentLedgerError, IntegrityError, NotFoundError
from consentledger.ledger.absence import Index, Labels

TAIL = 256
"""An export shows so many entries behind the last index one by one, and closes the range when there are more.

A tail burdens one bundle, an index every later one: so the number of indexes is bounded by that of entries, however
often somebody exports.
"""


@dataclass(frozen=True, slots=True)
class Indexed:
    """How far an organisation's log is indexed: the last index ends at `size` and is entry `entry_index`."""

    size: int
    entry_index: int


NOTHING = Indexed(0, -1)


def last_index(session: Session, organisation_id: UUID, below: int | None = None) -> Indexed:
    """Reads the last index, or the last one that stands below an entry; NOTHING when there is none."""
    query = select(LogIndex.size, LogIndex.entry_index).where(
        LogIndex.organisation_id == organisation_id
    )
    if below is not None:
        query = query.where(LogIndex.entry_index < below)
    row = session.execute(query.order_by(LogIndex.entry_index.desc()).limit(1)).one_or_none()
    return Indexed(row.size, row.entry_index) if row else NOTHING


def index_due(database: Database) -> int:
    """Closes the range of every log that is due; returns how many entries were appended.

    A damaged log raises IntegrityError, after all others had their turn.
    """
    with database.read() as session:
        due = list(_due(session, now().date()))
    done, wrong = 0, None
    for organisation_id in due:
        try:
            done += index_log(database, organisation_id)
        except ConsentLedgerError as error:
            wrong = wrong or error
    if wrong is not None:
        raise wrong
    return done


def _due(session: Session, today: date) -> Iterator[UUID]:
    """Logs with entries behind the last index (besides itself) of an earlier day, or with very many."""
    one = aliased(LogIndex)
    newest = (
        select(func.max(one.entry_index))
        .where(one.organisation_id == LogHead.organisation_id)
        .correlate(LogHead)
        .scalar_subquery()
    )
    query = (
        select(LogHead.organisation_id, LogHead.size, LogIndex.size, LogLeaf.appended_at)
        .select_from(LogHead)
        .outerjoin(
            LogIndex,
            (LogIndex.organisation_id == LogHead.organisation_id)
            & (LogIndex.entry_index == newest),
        )
        .join(
            LogLeaf,
            (LogLeaf.organisation_id == LogHead.organisation_id)
            & (LogLeaf.entry_index == func.coalesce(LogIndex.entry_index, 0)),
        )
        .where(LogHead.size > func.coalesce(LogIndex.size, 0) + 1)
        .order_by(LogHead.organisation_id)
    )
    for organisation_id, size, indexed, at in session.execute(query):
        if _is_due(size - (indexed or 0), at, today):
            yield organisation_id


def _is_due(tail: int, last_at: datetime, today: date) -> bool:
    return last_at.date() < today or tail > RANGE


def shorten_tail(database: Database, organisation_id: UUID) -> int:
    """Closes the range behind the last index when it is too long to be shown entry by entry."""
    with database.read() as session:
        size = _head_size(session, organisation_id)
        tail = size - last_index(session, organisation_id).size
    return index_log(database, organisation_id) if tail > TAIL else 0


def index_log(database: Database, organisation_id: UUID) -> int:
    """Indexes everything that stands in the log by now; returns how many entries that took.

    0 also when another worker did it. IntegrityError when two entries carry one label, or when an index in the
    log contradicts its leaves.
    """
    with database.read() as session:
        size = _head_size(session, organisation_id)
    done = 0
    while (last := _caught_up(database, organisation_id)).size < size:
        end = min(size, last.size + RANGE)
        if not _append(database, organisation_id, last, end):
            break
        done += 1
    return done


def _head_size(session: Session, organisation_id: UUID) -> int:
    size = session.scalar(select(LogHead.size).where(LogHead.organisation_id == organisation_id))
    if size is None:
        raise NotFoundError("this organisation has no log")
    return size


def _append(database: Database, organisation_id: UUID, last: Indexed, end: int) -> bool:
    with database.snapshot() as session:
        labels = labels_of_range(session, organisation_id, last.size, end)
    index = labels.index(last.size, end)
    with database.begin() as tx:
        draft = Draft("log.index", {}, actor="worker", plain=index.plain())
        sealed = tx.log.seal(tx, organisation_id, [draft])
        head = tx.log.lock_head(tx, organisation_id)
        if last_index(tx.session, organisation_id) != last:
            return False  # another worker was first
        _insert(tx, organisation_id, head.frontier.size, index, labels)
        tx.log.append_sealed(tx, organisation_id, sealed, head)
    return True


def _caught_up(database: Database, organisation_id: UUID) -> Indexed:
    """Writes the rows of indexes that stand in the log only (its leaves were brought back from elsewhere)."""
    with database.read() as session:
        last = last_index(session, organisation_id)
        found = list(index_leaves(session, organisation_id, last.entry_index + 1))
    for entry_index, leaf in found:
        with database.snapshot() as session:
            index, labels = derived_index(session, organisation_id, entry_index, leaf)
        if index.first != last.size:
            raise IntegrityError(
                f"the log.index at entry {entry_index} begins at {index.first}, not at {last.size}"
            )
        with database.begin() as tx:
            tx.log.lock_head(tx, organisation_id)
            if last_index(tx.session, organisation_id) == last:
                _insert(tx, organisation_id, entry_index, index, labels)
        last = Indexed(index.size, entry_index)
    return last


def _insert(tx: Tx, organisation_id: UUID, entry_index: int, index: Index, labels: Labels) -> None:
    tx.session.execute(
        insert(LogIndex).values(
            organisation_id=organisation_id,
            entry_index=entry_index,
            first=index.first,
            size=index.size,
            labels=labels.to_bytes(),
        )
    )
