"""contact_entry made anew: which entry belongs to which contact, from the openings, else from the labels alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.fsck.model import BLOCK, Report
from consentledger.db.fsck.opener import Opener, bytes_of, has_label
from consentledger.db.models import ContactEntry
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.ledger.leaf import label, parse_leaf
from consentledger.replay.reading import Owned, stored_key

GAP = 64  # so many numbers in a row may be of entries that are gone altogether
Owners = dict[int, UUID | None]
"""The owner that an entry should have; None: none at all."""


def lost_owners(opener: Opener, unopened: dict[bytes, int]) -> Iterator[Owners]:
    """Yields owners of labelled entries that have none, by what their openings say, block by block.

    `unopened` gathers, by label, those that do not open any more: their contact's key may still know them.
    """
    silent = Report("", 0)
    for low in range(0, opener.size, BLOCK):
        high = min(low + BLOCK, opener.size)
        owned = {row[1] for row in opener.rows.owned_between(low, high)}
        leaves = [
            row
            for row in opener.rows.leaves_between(low, high)
            if row[0] not in owned and has_label(bytes_of(row[1]))
        ]
        if not leaves:
            continue
        openings = opener.rows.openings_at([row[0] for row in leaves])
        told = opener.open(leaves, openings, silent, blobs=False)
        found: Owners = {}
        for one in told:
            if one.values is not None and isinstance(one.values.get("contact"), str):
                found[one.entry_index] = UUID(str(one.values["contact"]))
            elif one.label is not None:
                unopened[one.label] = one.entry_index
        if found:
            yield found


def wrong_owners(opener: Opener, suspects: Sequence[Owned], unopened: dict[bytes, int]) -> Owners:
    """Returns the owners of entries that stand under a contact whose labels they do not carry, or are missing there."""
    found: Owners = {}
    for owned in suspects:
        labels = _labels(opener, owned.indexes)
        mended = _mended(opener, owned, labels, unopened)
        for index, owner in mended.items():
            mark = labels.get(index)
            if owner is None and mark is not None:
                unopened[mark] = index
        found |= mended
    return found


def _mended(
    opener: Opener,
    owned: Owned,
    labels: Mapping[int, bytes | None],
    unopened: Mapping[bytes, int],
) -> Owners:
    opened = _opened(opener, owned.indexes)
    found: Owners = {
        index: owner for index, (owner, _) in opened.items() if owner != owned.contact_id
    }
    own = [key_id for owner, key_id in opened.values() if owner == owned.contact_id]
    key_id = own[0] if own else stored_key(opener, owned.contact_id)
    secret = _label_key(opener, key_id)
    if secret is None:
        return found
    # What does not open any more is its own if its label is, and nobody's else.
    closed = {labels.get(index): index for index in owned.indexes if index not in opened}
    mine = {labels.get(index) for index in opened}
    n = missed = 0
    while missed < GAP:
        expected = label(secret, n)
        if expected in unopened:
            found[unopened[expected]] = owned.contact_id
        elif closed.pop(expected, None) is None and expected not in mine:
            missed += 1
        n += 1
    return found | dict.fromkeys(closed.values())


def _opened(opener: Opener, indexes: Sequence[int]) -> dict[int, tuple[UUID, UUID | None]]:
    """Returns contact and key of those of these entries that open."""
    leaves, openings = opener.rows.leaves_at(indexes), opener.rows.openings_at(indexes)
    return {
        one.entry_index: (UUID(str(one.values["contact"])), one.key_id)
        for one in opener.open(leaves, openings, Report("", 0), blobs=False)
        if one.values is not None and isinstance(one.values.get("contact"), str)
    }


def _label_key(opener: Opener, key_id: UUID | None) -> bytes | None:
    keys = opener.keys([key_id])[key_id] if key_id is not None else None
    return keys.label if keys else None


def _labels(opener: Opener, indexes: Sequence[int]) -> dict[int, bytes | None]:
    found: dict[int, bytes | None] = {}
    for index, leaf, _, _ in opener.rows.leaves_at(indexes):
        try:
            found[index] = parse_leaf(bytes_of(leaf)).label
        except ConsentLedgerError:
            found[index] = None
    return found


def write_owners(tx: Tx, organisation_id: UUID, owners: Owners) -> None:
    """Writes which contact these entries belong to."""
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    rows = [
        {"organisation_id": organisation_id, "entry_index": index, "contact_id": owner}
        for index, owner in sorted(owners.items())
        if owner is not None
    ]
    if rows:
        made = insert(ContactEntry)
        tx.connection.execute(
            made.on_conflict_do_update(
                index_elements=["organisation_id", "entry_index"],
                set_={"contact_id": made.excluded.contact_id},
            ),
            rows,
        )
    nobody = [index for index, owner in owners.items() if owner is None]
    if nobody:
        tx.connection.execute(
            delete(ContactEntry).where(
                ContactEntry.organisation_id == organisation_id,
                ContactEntry.entry_index.in_(nobody),
            )
        )
