"""The labels of ranges of entries, read from their leaves; and the check of every `log.index` against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.db.models import LogIndex, LogLeaf
from consentledger.kernel.errors import IntegrityError, VerificationError
from consentledger.ledger.absence import START, Index, Labels, labels_of, read_index
from consentledger.ledger.leaf import parse_leaf

RANGE = 65_536
"""No range is longer, so that its labels fit into memory."""
_PREFIX = b"consentledger/leaf/v1\nkind log.index/"
_STARTS = (
    f"SELECT entry_index, substr(leaf, 1, {START}) FROM log_leaf"  # noqa: S608 - our own number
    " WHERE organisation_id = {0} AND entry_index >= {0} AND entry_index < {0} ORDER BY entry_index"
)
_CHUNK = 4_096


def derived_index(
    session: Session, organisation_id: UUID, entry_index: int, leaf: bytes
) -> tuple[Index, Labels]:
    """Returns what a `log.index` says, and the labels of its range; IntegrityError when they do not agree."""
    try:
        index = read_index(parse_leaf(leaf).plain, entry_index)
    except (VerificationError, KeyError) as error:
        raise IntegrityError(f"the log.index at entry {entry_index}: {error}") from error
    if index.size - index.first > RANGE:
        raise IntegrityError(f"the log.index at entry {entry_index} covers too many entries")
    labels = labels_of_range(session, organisation_id, index.first, index.size)
    if labels.index(index.first, index.size) != index:
        raise IntegrityError(f"the log.index at entry {entry_index} is not that of its leaves")
    return index, labels


def labels_of_range(session: Session, organisation_id: UUID, first: int, size: int) -> Labels:
    """Reads the labels of entries [first, size) from their leaves; IntegrityError when one is damaged or double."""
    try:
        return Labels(_scan(session, organisation_id, first, size))
    except VerificationError as error:
        raise IntegrityError(f"entries {first} to {size - 1}: {error}") from error


def _scan(session: Session, organisation_id: UUID, first: int, size: int) -> Iterator[bytes]:
    for low in range(first, size, _CHUNK):
        high = min(size, low + _CHUNK)
        rows = _starts(session, organisation_id, low, high)
        if [index for index, _ in rows] != list(range(low, high)):
            raise IntegrityError(f"leaves are missing between log_leaf {low} and {high - 1}")
        # SQLite keeps whatever type was put in by hand.
        yield from labels_of(
            leaf if isinstance(leaf, bytes) else str(leaf).encode() for _, leaf in rows
        )


def _starts(
    session: Session, organisation_id: UUID, low: int, high: int
) -> list[tuple[int, bytes]]:
    """Asks the driver itself: rows through the ORM take five times as long, and this reads whole logs."""
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        values = (organisation_id.hex, low, high)
        found: list[tuple[int, bytes]] = driver.execute(_STARTS.format("?"), values).fetchall()
    else:
        values = (organisation_id, low, high)  # type: ignore[assignment]
        found = driver.execute(_STARTS.format("%b"), values, binary=True).fetchall()
    return found


def index_leaves(
    session: Session, organisation_id: UUID, low: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Reads (entry index, leaf) of every `log.index` from entry `low` on, by looking at each leaf's start."""
    query = (
        select(LogLeaf.entry_index, LogLeaf.leaf)
        .where(LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index >= low)
        .where(func.substr(LogLeaf.leaf, 1, len(_PREFIX)) == _PREFIX)
        .order_by(LogLeaf.entry_index)
    )
    for entry_index, leaf in session.execute(query):
        yield entry_index, bytes(leaf)


def check_log_index(
    session: Session,
    organisation_id: UUID,
    leaves: Sequence[tuple[int, bytes]] | None = None,
) -> Iterator[tuple[str, str]]:
    """Derives every index anew from the leaves; yields (where, what is wrong), for fsck.

    `leaves` are the (entry index, leaf) of the log's `log.index` entries, if the caller has met them all on its
    way; else they are looked for.
    """
    if leaves is None:
        leaves = list(index_leaves(session, organisation_id))
    rows = set(
        session.scalars(
            select(LogIndex.entry_index).where(LogIndex.organisation_id == organisation_id)
        )
    )
    end = 0
    for entry_index, leaf in leaves:
        rows.discard(entry_index)
        try:
            index, labels = derived_index(session, organisation_id, entry_index, leaf)
        except IntegrityError as error:
            yield f"log_leaf {entry_index}", str(error)
            continue
        if index.first != end:
            yield f"log_leaf {entry_index}", f"its log.index begins at {index.first}, not at {end}"
        end = index.size
        problem = _row_problem(session, organisation_id, entry_index, index, labels)
        if problem is not None:
            yield f"log_index {entry_index}", problem
    for entry_index in sorted(rows):
        yield f"log_index {entry_index}", "no log.index stands at this entry"


def _row_problem(
    session: Session, organisation_id: UUID, entry_index: int, index: Index, labels: Labels
) -> str | None:
    # Compared by the database: SQLite may hold another type than bytes by now.
    same = (LogIndex.labels == labels.to_bytes()).label("same")
    row = session.execute(
        select(LogIndex.first, LogIndex.size, same)
        .where(LogIndex.organisation_id == organisation_id)
        .where(LogIndex.entry_index == entry_index)
    ).one_or_none()
    if row is None:
        return "the row of this log.index is missing"
    if (row.first, row.size) != (index.first, index.size):
        return "its range is not that of its log.index"
    return None if row.same else "its labels are not those of the leaves"
