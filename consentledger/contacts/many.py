"""Many contacts at once: found or made and locked in one order, and written in one statement.

First those that are missing are inserted, in the order of their look-up hashes, then all are locked, in that of
their ids. Whoever waits in the first step holds no contact that anybody could wait for, so no two such batches, and
no single act beside them, ever wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.contacts import address as addresses
from consentledger.contacts import queries, standing
from consentledger.contacts.models import Contact
from consentledger.contacts.service import (
    LockedContact,
    lock,
    organisation_keys,
    standing_write,
    upsert,
)
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.ids import uuid7

IN_CHUNK = 5_000  # SQLite takes 32,766 parameters a statement


def upsert_many(tx: Tx, organisation_id: UUID, given: Iterable[str]) -> dict[str, LockedContact]:
    """Finds or makes the contact of each address and locks them all; by the folded address.

    Of several spellings of one address the first one is stored.
    """
    first: dict[str, str] = {}
    for address in given:
        first.setdefault(addresses.fold(address), address)
    keys = organisation_keys(tx, organisation_id)
    lookups = {queries.lookup_hash(keys, folded): folded for folded in first}
    found = _find(tx, organisation_id, lookups)
    missing = sorted(set(lookups) - set(found))
    if missing:
        _insert(tx, organisation_id, {lookup: first[lookups[lookup]] for lookup in missing})
        found |= _find(tx, organisation_id, missing)
    locked = lock(tx, organisation_id, found.values())
    contacts = {}
    for lookup, folded in lookups.items():
        contact_id = found.get(lookup)
        contact = locked.get(contact_id) if contact_id is not None else None
        # Its key is gone, or it went between the two statements: the person begins anew, as with a single act.
        contacts[folded] = contact or upsert(tx, organisation_id, addresses.parse(first[folded]))
    return contacts


def save_many(tx: Tx, contacts: Sequence[LockedContact]) -> None:
    """Writes the standings of contacts; before the append."""
    writes = [standing_write(tx, contact) for contact in contacts]
    if writes:
        tx.connection.execute(writes[0].statement, [write.values for write in writes])


def _find(tx: Tx, organisation_id: UUID, lookups: Iterable[bytes]) -> dict[bytes, UUID]:
    wanted, found = sorted(lookups), {}
    for start in range(0, len(wanted), IN_CHUNK):
        query = select(Contact.lookup, Contact.contact_id).where(
            Contact.organisation_id == organisation_id,
            Contact.lookup.in_(wanted[start : start + IN_CHUNK]),
        )
        found.update({bytes(row.lookup): row.contact_id for row in tx.connection.execute(query)})
    return found


def _insert(tx: Tx, organisation_id: UUID, given: Mapping[bytes, str]) -> None:
    """Inserts contacts with fresh keys; those that somebody else inserted meanwhile are left as they are."""
    keystore = tx.log.keystore
    rows: list[dict[str, Any]] = []
    prepared = []
    for lookup, address in given.items():
        fresh, contact_id = keystore.prepare_contact(organisation_id), uuid7()
        context = queries.address_context(organisation_id, contact_id)
        prepared.append(fresh)
        rows.append(
            {
                "organisation_id": organisation_id,
                "contact_id": contact_id,
                "lookup": lookup,
                "key_id": fresh.keys.key_id,
                "sealed_address": fresh.keys.sealer.seal(address.encode(), context),
                "standing": standing.empty(),
                "entries": 0,
                "last_leaf_hash": None,
                "created_at": tx.now,
                "touched_at": tx.now,
            }
        )
    keystore.store_many(tx, organisation_id, prepared)
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    tx.connection.execute(insert(Contact.__table__).on_conflict_do_nothing(), rows)  # type: ignore[arg-type]
