"""Reads of recorded customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts import address as addresses
from consentledger.contacts import queries as contact_queries
from consentledger.contacts.models import Contact
from consentledger.customers.commands import CustomerFacts, FoundCustomer
from consentledger.customers.models import CustomerRecord
from consentledger.db.keystore.store import KeyStore, OrganisationKeys, Reader, keyed_hash
from consentledger.organisations.categories import tree

IN_CHUNK = 5_000
Named = tuple[UUID, str, bytes]
"""(contact, channel, keyed hash of the reference): what names a record"""


def reference_hash(keys: OrganisationKeys, reference: str) -> bytes:
    """Returns the keyed hash by which a record sent twice is known, 32 bytes."""
    return keyed_hash(keys.lookup, f"consentledger/customer-reference/v1\n{reference}")


def named(
    reader: Reader, organisation_id: UUID, contact_ids: Iterable[UUID]
) -> dict[Named, tuple[UUID, str, str]]:
    """Reads id, trigger and state of all records of these contacts, by what names them."""
    wanted, found = sorted(set(contact_ids)), {}
    for start in range(0, len(wanted), IN_CHUNK):
        query = select(
            CustomerRecord.contact_id,
            CustomerRecord.channel,
            CustomerRecord.reference_hash,
            CustomerRecord.customer_id,
            CustomerRecord.trigger,
            CustomerRecord.state,
        ).where(
            CustomerRecord.organisation_id == organisation_id,
            CustomerRecord.contact_id.in_(wanted[start : start + IN_CHUNK]),
        )
        for contact_id, channel, hashed, customer_id, trigger, state in reader.execute(query):
            found[contact_id, channel, bytes(hashed)] = (customer_id, trigger, state)
    return found


def mapped_categories(session: Session, organisation_id: UUID) -> frozenset[str]:
    """Reads the categories of the organisation's newest published tree; none without a tree."""
    found = tree(session, organisation_id)
    return frozenset(found.categories if found else ())


def contacts_of_addresses(
    reader: Reader, keys: OrganisationKeys, organisation_id: UUID, given: Iterable[str]
) -> dict[str, UUID]:
    """Reads the contacts of addresses, by the folded address; unknown ones are missing."""
    lookups = {
        contact_queries.lookup_hash(keys, folded): folded for folded in map(addresses.fold, given)
    }
    wanted, found = sorted(lookups), {}
    for start in range(0, len(wanted), IN_CHUNK):
        query = select(Contact.lookup, Contact.contact_id).where(
            Contact.organisation_id == organisation_id,
            Contact.lookup.in_(wanted[start : start + IN_CHUNK]),
        )
        for lookup, contact_id in reader.execute(query):
            found[lookups[bytes(lookup)]] = contact_id
    return found


def customers_of_address(
    session: Session, keystore: KeyStore, organisation_id: UUID, address: str
) -> FoundCustomer:
    """Reads what is recorded of an address; nothing for an unknown one. InputError names a bad address."""
    folded = addresses.fold_parsed(addresses.parse(address, "address"))
    lookup = contact_queries.lookup_hash(keystore.organisation(session, organisation_id), folded)
    contact = contact_queries.contact_by_lookup(session, organisation_id, lookup)
    return _found(session, organisation_id, contact)


def customers_of_contact(
    session: Session, organisation_id: UUID, contact_id: UUID
) -> FoundCustomer:
    """Reads what is recorded of a contact; nothing for an unknown one."""
    return _found(session, organisation_id, session.get(Contact, (organisation_id, contact_id)))


def _found(session: Session, organisation_id: UUID, contact: Contact | None) -> FoundCustomer:
    if contact is None:
        return FoundCustomer(None, (), ())
    indexes = contact_queries.entry_indexes(session, organisation_id, contact.contact_id)
    grounds = {one["id"] for one in contact.standing.get("customers", ())}
    query = (
        select(CustomerRecord)
        .where(
            CustomerRecord.organisation_id == organisation_id,
            CustomerRecord.contact_id == contact.contact_id,
        )
        .order_by(CustomerRecord.recorded_at.desc(), CustomerRecord.customer_id.desc())
    )
    facts = [_facts(row, indexes, grounds) for row in session.scalars(query)]
    return FoundCustomer(
        contact.contact_id, tuple(sorted(contact.standing["closed"])), tuple(facts)
    )


def _facts(row: CustomerRecord, indexes: Sequence[int], grounds: set[str]) -> CustomerFacts:
    known = row.entry_number < len(indexes)
    return CustomerFacts(
        customer_id=row.customer_id,
        channel=row.channel,
        trigger=row.trigger,
        on=row.happened_on,
        ended_on=row.ended_on,
        state=row.state,
        recorded_at=row.recorded_at,
        changed_at=row.changed_at,
        entry_index=indexes[row.entry_number] if known else None,
        carries=str(row.customer_id) in grounds,
    )
