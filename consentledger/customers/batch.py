"""What recording and lapsing share: rows read strictly, and one append for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from consentledger.contacts import service as contacts
from consentledger.contacts.many import save_many
from consentledger.contacts.service import LockedContact
from consentledger.customers.commands import Refusal, RowOutcome, RowsDone
from consentledger.customers.rules import MOST_ROWS
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError
from consentledger.organisations.rules import Gap, GapsError

MOST_GAPS = 100
Read = TypeVar("Read")


@dataclass(slots=True)
class Batch:
    """The entries of one append, in its order, and the rows of the batch that they come of."""

    drafts: list[Draft] = field(default_factory=list)
    by_contact: dict[UUID, list[Draft]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)

    def add(self, contact: LockedContact, draft: Draft, number: int) -> int:
        """Adds the entry of the row `number`; returns its own number among its contact's entries."""
        mine = self.by_contact.setdefault(contact.contact_id, [])
        mine.append(draft)
        self.drafts.append(draft)
        self.numbers.append(number)
        return contact.chain.entries + len(mine) - 1


def read_rows(
    given: Sequence[Mapping[str, Any]],
    reader: Callable[[Mapping[str, Any]], Read | list[Refusal]],
    *,
    first: int = 0,
    partial: bool = False,
) -> tuple[dict[int, Read], dict[int, RowOutcome]]:
    """Reads every row: the good ones by their place, the others as outcomes. GapsError unless `partial`."""
    if not given:
        raise InputError("rows: give at least one", field="rows", reason="missing")
    if len(given) > MOST_ROWS:
        raise InputError(f"rows: at most {MOST_ROWS} at once", field="rows", reason="too_many")
    good: dict[int, Read] = {}
    outcomes: dict[int, RowOutcome] = {}
    gaps: list[Gap] = []
    for number, values in enumerate(given):
        read = reader(values)
        if isinstance(read, list):
            position = first + number
            outcomes[number] = RowOutcome(position, "refused", refusals=tuple(read))
            gaps += [gap_of(number, refusal) for refusal in read]
        else:
            good[number] = read
    if gaps and not partial:
        raise GapsError(gaps[:MOST_GAPS])
    return good, outcomes


def gap_of(number: int, refusal: Refusal) -> Gap:
    """Names a row's gap as the answer does, `rows[3].on`."""
    where = f"rows[{number}].{refusal.field}"
    return Gap(where, refusal.reason, f"{where}: {refusal.message}")


def append_batch(
    tx: Tx,
    organisation_id: UUID,
    batch: Batch,
    found: Mapping[str, LockedContact],
    outcomes: dict[int, RowOutcome],
) -> RowsDone:
    """Moves the standings on, appends, and names each entry in its row's outcome."""
    touched = [one for one in found.values() if one.contact_id in batch.by_contact]
    for contact in touched:
        contacts.record(contact, batch.by_contact[contact.contact_id], to_text(tx.now))
    save_many(tx, touched)
    appended = tx.log.append(tx, organisation_id, batch.drafts)
    for number, entry in zip(batch.numbers, appended, strict=True):
        outcomes[number] = _placed(outcomes[number], entry)
    return RowsDone(tuple(outcomes[number] for number in sorted(outcomes)), tx.now)


def _placed(outcome: RowOutcome, entry: Appended) -> RowOutcome:
    return replace(outcome, entry_index=entry.index, leaf_hash=entry.leaf_hash)
