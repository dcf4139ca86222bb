"""Verbs about contacts: find or make one, lock one or many, record what an address refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.contacts import address as addresses
from consentledger.contacts import queries, standing
from consentledger.contacts.models import Contact, LinkUse
from consentledger.contacts.orphans import sweep_orphan_keys as sweep_orphan_keys
from consentledger.contacts.suppression import hold_suppression as hold_suppression
from consentledger.contacts.suppression import suppress as suppress
from consentledger.contacts.suppression import suppression_hash as suppression_hash
from consentledger.contacts.together import Write, write_together
from consentledger.contacts.upsert import upsert_contact
from consentledger.db.keystore.store import OrganisationKeys
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Chain, Draft
from consentledger.db.models import ContactKey
from consentledger.db.unit_of_work import Tx


class LockedRow(NamedTuple):
    """A contact whose row is locked, as far as it is known without its key."""

    organisation_id: UUID
    contact_id: UUID
    key_id: UUID
    entries: int


class ContactFacts(NamedTuple):
    """What `FACTS` selects, for statements that lock a contact together with what they look for."""

    contact_id: UUID
    key_id: UUID
    entries: int
    last_leaf_hash: bytes | None
    standing: standing.Standing
    sealed_address: bytes
    wrapped: bytes | None


FACTS = (
    Contact.contact_id,
    Contact.key_id,
    Contact.entries,
    Contact.last_leaf_hash,
    Contact.standing,
    Contact.sealed_address,
    ContactKey.wrapped,
)
KEY_OF_CONTACT = (ContactKey.organisation_id == Contact.organisation_id) & (
    ContactKey.key_id == Contact.key_id
)
# One statement wherever keys stand: with a key store of its own `wrapped` is null and is read from there.
_LOCK = (
    select(*FACTS)
    .outerjoin(ContactKey, KEY_OF_CONTACT)
    .where(
        Contact.organisation_id == bindparam("organisation"),
        Contact.contact_id.in_(bindparam("contacts", expanding=True)),
    )
    .order_by(Contact.contact_id)
    .with_for_update(of=Contact)
)
_LOCK_ROWS = (
    select(Contact.contact_id, Contact.key_id, Contact.entries)
    .where(
        Contact.organisation_id == bindparam("organisation"),
        Contact.contact_id.in_(bindparam("contacts", expanding=True)),
    )
    .order_by(Contact.contact_id)
    .with_for_update(of=Contact)
)
_SAVE = (
    update(Contact.__table__)  # type: ignore[arg-type]
    .where(
        Contact.organisation_id == bindparam("standing_organisation"),
        Contact.contact_id == bindparam("standing_contact"),
    )
    .values(standing=bindparam("standing_now"), touched_at=bindparam("standing_at"))
)


def _use(insert: Any) -> Any:
    made = insert(LinkUse.__table__)
    return made.on_conflict_do_update(
        index_elements=["organisation_id", "capability", "link_id", "scope"],
        set_={"entry_index": made.excluded.entry_index, "used_at": made.excluded.used_at},
    )


_USE = {"sqlite": _use(sqlite.insert), "postgresql": _use(postgresql.insert)}


@dataclass(slots=True)
class LockedContact:
    """A contact whose row this transaction has locked; `chain` is its place in the log.

    `standing` moves on with `record`; `save` writes it, before the append.
    """

    organisation_id: UUID
    contact_id: UUID
    chain: Chain = field(repr=False)
    standing: standing.Standing = field(repr=False)

    @property
    def address(self) -> str:
        """The address as stored: mail goes there."""
        assert self.chain.address is not None  # noqa: S101 - a living contact has one
        return self.chain.address


def upsert(tx: Tx, organisation_id: UUID, address: addresses.Address) -> LockedContact:
    """Finds or makes the contact of an address and locks it: the same statements for every address.

    A fresh key is stored each time; where the contact had one already, it is an orphan and is swept.
    """
    keys = organisation_keys(tx, organisation_id)
    lookup = queries.lookup_hash(keys, addresses.fold_parsed(address))
    row = upsert_contact(tx, organisation_id, lookup, address.text)
    return _locked(tx, organisation_id, row, row.wrapped)


def lock(tx: Tx, organisation_id: UUID, contact_ids: Iterable[UUID]) -> dict[UUID, LockedContact]:
    """Locks contacts in the order of their ids; those that were erased are missing from the answer.

    So are those whose key is gone already, because an erasure is under way (`lock_rows` gives them).
    """
    wanted = sorted(set(contact_ids))
    if not wanted:
        return {}
    found = {"organisation": organisation_id, "contacts": wanted}
    rows = tx.connection.execute(_LOCK, found).all()
    keys = {row.key_id: row.wrapped for row in rows}
    if tx.log.keystore.separate:
        keys = tx.log.keystore.wrapped_contacts(tx.connection, organisation_id, keys)
    return {
        row.contact_id: _locked(tx, organisation_id, row, wrapped)
        for row in rows
        if (wrapped := keys.get(row.key_id)) is not None
    }


def lock_rows(tx: Tx, organisation_id: UUID, contact_ids: Iterable[UUID]) -> dict[UUID, LockedRow]:
    """Locks contacts in the order of their ids without their keys, which may be destroyed already."""
    wanted = sorted(set(contact_ids))
    if not wanted:
        return {}
    found = {"organisation": organisation_id, "contacts": wanted}
    rows = tx.connection.execute(_LOCK_ROWS, found)
    return {row.contact_id: LockedRow(organisation_id, *row) for row in rows}


def organisation_keys(tx: Tx, organisation_id: UUID) -> OrganisationKeys:
    """Returns an organisation's keys without a statement when they are known already."""
    keystore = tx.log.keystore
    return keystore.cached(organisation_id) or keystore.organisation(tx.session, organisation_id)


def locked_contact(tx: Tx, organisation_id: UUID, row: ContactFacts) -> LockedContact | None:
    """Makes a locked contact of a row of `FACTS` that a statement of this transaction locked.

    None when its key is gone already, because an erasure is under way.
    """
    wrapped = row.wrapped
    if tx.log.keystore.separate:
        found = tx.log.keystore.wrapped_contacts(tx.connection, organisation_id, [row.key_id])
        wrapped = found.get(row.key_id)
    return None if wrapped is None else _locked(tx, organisation_id, row, wrapped)


def _locked(tx: Tx, organisation_id: UUID, row: Any, wrapped: bytes) -> LockedContact:
    keys = tx.log.keystore.unwrap_contact(organisation_id, row.key_id, wrapped)
    address = queries.open_address(keys, organisation_id, row.contact_id, row.sealed_address)
    chain = Chain(row.contact_id, keys, address, row.entries, row.last_leaf_hash)
    return LockedContact(organisation_id, row.contact_id, chain, row.standing)


def record(contact: LockedContact, drafts: Sequence[Draft], at: str) -> list[int]:
    """Moves the contact's standing on by drafts of its own, in order; returns their numbers.

    The drafts must be appended in this transaction, in this order and without others in between.
    """
    first = contact.chain.entries
    for n, draft in enumerate(drafts, first):
        contact.standing = standing.apply(contact.standing, draft.kind, draft.values, n=n, at=at)
    return list(range(first, first + len(drafts)))


def save(tx: Tx, contact: LockedContact) -> None:
    """Writes the contact's standing; before the append."""
    write_together(tx, standing_write(tx, contact))


def standing_write(tx: Tx, contact: LockedContact) -> Write:
    """Returns the write of a contact's standing."""
    values = {
        "standing_organisation": contact.organisation_id,
        "standing_contact": contact.contact_id,
        "standing_now": contact.standing,
        "standing_at": tx.now,
    }
    return Write("standing", _SAVE, values)


def use_link(
    tx: Tx, organisation_id: UUID, capability: str, link_id: bytes, uses: dict[str, Appended]
) -> None:
    """Keeps which entry each act of a link made, by scope, for its receipts; behind the append.

    The index is needed, so this follows the head's lock; the rows are covered by the contact's lock, or by the
    head's when there is no contact.
    """
    rows = [
        {
            "organisation_id": organisation_id,
            "capability": capability,
            "link_id": link_id,
            "scope": scope,
            "entry_index": entry.index,
            "used_at": tx.now,
        }
        for scope, entry in sorted(uses.items())
    ]
    tx.connection.execute(_USE[tx.database.name], rows)
