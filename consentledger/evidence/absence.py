"""What shows that a contact has no later entry: its next label in none of the indexes, and the leaves behind them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.log.index import last_index
from consentledger.db.models import LogIndex
from consentledger.kernel.errors import IntegrityError, VerificationError
from consentledger.ledger.absence import Labels
from consentledger.verify.absence import absence_file, absence_range
from consentledger.verify.entries import Entry


def indexes_below(session: Session, organisation_id: UUID, size: int) -> list[int]:
    """Reads which entries below `size` are a `log.index`."""
    query = select(LogIndex.entry_index).where(
        LogIndex.organisation_id == organisation_id, LogIndex.entry_index < size
    )
    return list(session.scalars(query.order_by(LogIndex.entry_index)))


def tail_below(session: Session, organisation_id: UUID, size: int) -> range:
    """Returns the entries below `size` that no index below it covers."""
    return range(last_index(session, organisation_id, below=size).size, size)


def absence_of(
    session: Session,
    organisation_id: UUID,
    contact: str,
    label_key: bytes,
    own: Sequence[int],
    indexes: Sequence[Entry],
) -> dict[str, object]:
    """Returns the content of a contact's `absence/` file; `own` are its entries, the n-th with label n.

    Reads the labels of one range at a time. IntegrityError when a row does not fit its entry, or when the contact's
    next label stands in the log.
    """
    ranges = list(_ranges(session, organisation_id, label_key, own, indexes))
    return absence_file(contact, len(own), ranges)


def _ranges(
    session: Session,
    organisation_id: UUID,
    label_key: bytes,
    own: Sequence[int],
    indexes: Sequence[Entry],
) -> Iterator[object]:
    for entry in indexes:
        query = (
            select(LogIndex.first, LogIndex.size, LogIndex.labels)
            .where(LogIndex.organisation_id == organisation_id)
            .where(LogIndex.entry_index == entry.index)
        )
        try:
            row = session.execute(query).one()
            inside = range(bisect_left(own, row.first), bisect_left(own, row.size))
            labels = Labels.from_bytes(row.labels)
            if labels.index(row.first, row.size).plain() != entry.parsed.plain:
                raise ValueError("it is not what its log.index commits to")
            yield absence_range(entry.index, labels, label_key, inside, len(own))
        except (TypeError, ValueError, VerificationError) as error:
            raise IntegrityError(f"log_index {entry.index}: {error}; run `log fsck`") from error
