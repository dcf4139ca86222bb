"""From raw rows to histories: the entries of many contacts at once, opened, in the order of their labels."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from consentledger.contacts.models import Contact
from consentledger.contacts.queries import lookup_hash
from consentledger.contacts.suppression import suppression_hash
from consentledger.customers.queries import reference_hash
from consentledger.db.fsck.model import Report
from consentledger.db.fsck.opener import Opener, Told
from consentledger.db.keystore.store import OrganisationKeys
from consentledger.db.models import ContactEntry
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

    def reference(self, reference: str) -> bytes:
        """Returns the hash by which a customer's record is known."""
        return reference_hash(self._keys, reference)


def owned_batches(
    opener: Opener, after: UUID | None, *, at_once: int = AT_ONCE
) -> Iterator[list[Owned]]:
    """Yields batches of whole contacts behind `after`, each of about `at_once` entries."""
    batch: list[Owned] = []
    count = 0
    current: Owned | None = None
    last: object = None
    for block in opener.rows.owners(after):
        for raw, index in block:
            if current is None or raw != last:
                if count >= at_once:
                    yield batch
                    batch, count = [], 0
                last, current = raw, Owned(opener.rows.uuid(raw), [])
                batch.append(current)
            current.indexes.append(index)
            count += 1
    if batch:
        yield batch


@dataclass(slots=True)
class Ownership:
    """What is wrong with who owns which entry, and the contacts that it is about."""

    report: Report
    suspects: list[Owned] = field(default_factory=list)

    def add(self, owned: Owned, index: int, message: str) -> None:
        """Notes one finding about one contact's entry."""
        self.report.add(f"contact_entry {index}", message)
        if not self.suspects or self.suspects[-1] is not owned:
            self.suspects.append(owned)


def histories(
    opener: Opener, batch: Sequence[Owned], report: Report, ownership: Ownership | None = None
) -> list[History]:
    """Opens the entries of these contacts and holds each against its label.

    What is wrong goes to the report; what is wrong with owners to `ownership`, if that is asked for.
    """
    ownership = ownership or Ownership(report)
    indexes = [index for owned in batch for index in owned.indexes]
    leaves = opener.rows.leaves_at(indexes)
    told = opener.open(leaves, opener.rows.openings_at(indexes), report)
    report.openings += sum(one.values is not None for one in told)
    by_index = {one.entry_index: one for one in told}
    there = {row[0] for row in leaves}
    found = []
    for owned in batch:
        mine = [by_index[index] for index in owned.indexes if index in by_index]
        history = _history(opener, owned, mine, there, report, ownership)
        report.contacts += 1
        if history is not None:
            found.append(history)
    return found


def _history(
    opener: Opener,
    owned: Owned,
    told: Sequence[Told],
    there: Container[int],
    report: Report,
    ownership: Ownership,
) -> History | None:
    """None when an entry is damaged: what is wrong with it has been told, and a replay would only repeat it."""
    sound = len(told) == len(owned.indexes)
    for index in owned.indexes:
        if index not in there:
            ownership.add(owned, index, "surplus: there is no such entry")
            sound = False
    own = str(owned.contact_id)
    for one in told:
        if one.values is not None and one.values.get("contact") != own:
            ownership.add(owned, one.entry_index, "the entry is another contact's")
            sound = False
    key_ids = {one.key_id for one in told if one.key_id is not None}
    if sound and len(key_ids) > 1:
        report.add(f"contact {owned.contact_id}", "its openings name more than one key")
        return None
    key_id = next(iter(key_ids), None) or stored_key(opener, owned.contact_id)
    if not sound or not _labels_hold(opener, owned, key_id, told, report, ownership):
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
    told: Sequence[Told],
    report: Report,
    ownership: Ownership,
) -> bool:
    keys = opener.keys([key_id])[key_id] if key_id is not None else None
    if keys is None:
        if not all(opener.system.erased(index) for index in owned.indexes):
            report.add(f"contact {owned.contact_id}", "its key is missing, and it was not erased")
        return False
    for n, one in enumerate(told):
        if one.label != label(keys.label, n):
            message = f"its label is not that of entry {n} of its contact"
            ownership.add(owned, one.entry_index, message)
            return False
    if opener.homeless and (at := opener.homeless.get(label(keys.label, len(told)))) is not None:
        ownership.add(owned, at, "missing: its label is the next one of a contact")
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
        plain=told.plain,
        going=values is not None and opener.system.erased(told.entry_index),
    )


def owned_of(opener: Opener, contact_ids: Collection[UUID]) -> list[Owned]:
    """Reads the indexes of these contacts, sorted by contact."""
    query = (
        select(ContactEntry.contact_id, ContactEntry.entry_index)
        .where(
            ContactEntry.organisation_id == opener.organisation_id,
            ContactEntry.contact_id.in_(sorted(contact_ids)),
        )
        .order_by(ContactEntry.contact_id, ContactEntry.entry_index)
    )
    found: dict[UUID, Owned] = {}
    for contact_id, index in opener.session.execute(query):
        found.setdefault(contact_id, Owned(contact_id, [])).indexes.append(index)
    return list(found.values())
