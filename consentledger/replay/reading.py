"""From raw rows to histories: the entries of many contacts at once, opened, in the order of their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from consentledger.contacts.models import Contact
from consentledger.contacts.queries import lookup_hash
from consentledger.contacts.suppression import suppression_hash
from consentledger.db.fsck.model import Report
from consentledger.db.fsck.openings import Opener, Told
from consentledger.db.keystore import OrganisationKeys
from consentledger.kernel.clock import from_text
from consentledger.ledger.leaf import label
from consentledger.replay.model import Entry, History

AT_ONCE = 2_048


class Owned(NamedTuple):
    """One contact and the indexes that contact_entry gives it, ascending."""

    contact_id: UUID
    indexes: list[int]


class OwnHashes:
    """The keyed hashes of one organisation."""

    def __init__(self, keys: OrganisationKeys) -> None:
        self._keys = keys

    def lookup(self, folded: str) -> bytes:
        """Returns the hash that finds a contact."""
        return lookup_hash(self._keys, folded)

    def suppression(self, folded: str) -> bytes:
        """Returns the hash that keeps a refusal."""
        return suppression_hash(self._keys, folded)


def owned_batches(
    opener: Opener, after: UUID | None, *, at_once: int = AT_ONCE
) -> Iterator[list[Owned]]:
    """Yields batches of whole contacts behind `after`, each of about `at_once` entries."""
    batch: list[Owned] = []
    count = 0
    current: Owned | None = None
    for block in opener.rows.owners(after):
        for raw, index in block:
            contact_id = opener.rows.uuid(raw)
            if current is None or contact_id != current.contact_id:
                if count >= at_once:
                    yield batch
                    batch, count = [], 0
                current = Owned(contact_id, [])
                batch.append(current)
            current.indexes.append(index)
            count += 1
    if batch:
        yield batch


def histories(opener: Opener, batch: Sequence[Owned], report: Report) -> list[History]:
    """Opens the entries of these contacts and holds each against its label; what is wrong goes to the report."""
    indexes = [index for owned in batch for index in owned.indexes]
    leaves = opener.rows.leaves_at(indexes)
    told = opener.open(leaves, opener.rows.openings_at(indexes), report)
    report.openings += sum(one.values is not None for one in told)
    by_index = {one.entry_index: one for one in told}
    there = {row[0]: row for row in leaves}
    found = []
    for owned in batch:
        mine = [by_index[index] for index in owned.indexes if index in by_index]
        history = _history(opener, owned, mine, there, report)
        report.contacts += 1
        if history is not None:
            found.append(history)
    return found


def _history(
    opener: Opener,
    owned: Owned,
    told: Sequence[Told],
    there: dict[int, Any],
    report: Report,
) -> History | None:
    """None when an entry is damaged: what is wrong with it has been told, and a replay would only repeat it."""
    key_ids = {one.key_id for one in told if one.key_id is not None}
    if len(key_ids) > 1:
        report.add(f"contact {owned.contact_id}", "its openings name more than one key")
        return None
    key_id = next(iter(key_ids), None) or stored_key(opener, owned.contact_id)
    sound = len(told) == len(owned.indexes)
    for index in owned.indexes:
        if index not in there:
            report.add(f"contact_entry {index}", "surplus: there is no such entry")
            sound = False
    labels = {one.entry_index: one.parsed.label for one in told}
    sound = _labels_hold(opener, owned, key_id, labels, report) and sound
    for one in told:
        if one.values is not None and one.values.get("contact") != str(owned.contact_id):
            report.add(f"contact_entry {one.entry_index}", "the entry is another contact's")
            sound = False
    if not sound:
        return None
    entries = [_entry(opener, one, n) for n, one in enumerate(told)]
    return History(owned.contact_id, key_id, entries)


def stored_key(opener: Opener, contact_id: UUID) -> UUID | None:
    """Reads the key that a contact's own row names; None without a row."""
    return opener.session.scalar(
        select(Contact.key_id).where(
            Contact.organisation_id == opener.organisation_id, Contact.contact_id == contact_id
        )
    )


def _labels_hold(
    opener: Opener,
    owned: Owned,
    key_id: UUID | None,
    labels: dict[int, bytes | None],
    report: Report,
) -> bool:
    keys = opener.keys([key_id])[key_id] if key_id is not None else None
    if keys is None:
        if not all(opener.system.erased(index) for index in owned.indexes):
            report.add(f"contact {owned.contact_id}", "its key is missing, and it was not erased")
        return False
    for n, index in enumerate(owned.indexes):
        if index not in labels:
            return False  # it does not open, which has been told
        if labels[index] != label(keys.label, n):
            report.add(
                f"contact_entry {index}", f"its label is not that of entry {n} of its contact"
            )
            return False
    return True


def _entry(opener: Opener, told: Told, n: int) -> Entry:
    values = told.values
    at = from_text(str(values["at"])) if values else opener.rows.instant(told.appended_at)
    return Entry(
        index=told.entry_index,
        n=n,
        kind=told.kind,
        leaf_hash=told.leaf_hash,
        at=at,
        values=values,
        blobs=tuple(told.blobs),
        plain=told.parsed.plain,
        going=values is not None and opener.system.erased(told.entry_index),
    )
