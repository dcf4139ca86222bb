"""Verbs about contacts: find or make one, lock one or many, record what an address refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.contacts import address as addresses
from consentledger.contacts import queries, standing
from consentledger.contacts.models import Contact, LinkUse, Suppression
from consentledger.contacts.upsert import upsert_contact
from consentledger.db.entries import Chain, Draft
from consentledger.db.keystore import OrganisationKeys
from consentledger.db.log import Appended
from consentledger.db.models import ContactKey
from consentledger.db.unit_of_work import Tx
from consentledger.outbox.models import OutboxRow

ORPHAN_AGE = timedelta(hours=1)


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
_LOCK = (
    select(*FACTS)
    .join(ContactKey, KEY_OF_CONTACT)
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
        Contact.organisation_id == bindparam("organisation"),
        Contact.contact_id == bindparam("contact"),
    )
    .values(standing=bindparam("now_standing"), touched_at=bindparam("now"))
)


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
    return locked_contact(tx, organisation_id, row)


def lock(tx: Tx, organisation_id: UUID, contact_ids: Iterable[UUID]) -> dict[UUID, LockedContact]:
    """Locks contacts in the order of their ids; those that were erased are missing from the answer."""
    wanted = sorted(set(contact_ids))
    if not wanted:
        return {}
    found = {"organisation": organisation_id, "contacts": wanted}
    rows = tx.connection.execute(_LOCK, found).all()
    return {row.contact_id: locked_contact(tx, organisation_id, row) for row in rows}


def lock_by_address(
    tx: Tx, organisation_id: UUID, address: addresses.Address
) -> LockedContact | None:
    """Finds and locks the contact of an address, or None: for callers who may know whether it exists."""
    keys = organisation_keys(tx, organisation_id)
    found = queries.contact_by_lookup(
        tx.session, organisation_id, queries.lookup_hash(keys, addresses.fold_parsed(address))
    )
    if found is None:
        return None
    return lock(tx, organisation_id, [found.contact_id]).get(found.contact_id)


def organisation_keys(tx: Tx, organisation_id: UUID) -> OrganisationKeys:
    """Returns an organisation's keys without a statement when they are known already."""
    keystore = tx.log.keystore
    return keystore.cached(organisation_id) or keystore.organisation(tx.session, organisation_id)


def locked_contact(tx: Tx, organisation_id: UUID, row: Any) -> LockedContact:
    """Makes a locked contact of a row of `FACTS` that a statement of this transaction locked."""
    keys = tx.log.keystore.unwrap_contact(organisation_id, row.key_id, row.wrapped)
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
    tx.connection.execute(_SAVE, saving(tx, contact))


def saving(tx: Tx, contact: LockedContact) -> dict[str, Any]:
    """Returns the parameters of the statement that saves a contact's standing."""
    return {
        "organisation": contact.organisation_id,
        "contact": contact.contact_id,
        "now_standing": contact.standing,
        "now": tx.now,
    }


def suppress(
    tx: Tx,
    organisation_id: UUID,
    hashed: bytes,
    *,
    scope: str,
    reason: str,
    until_at: datetime | None,
) -> None:
    """Records a refusal under a keyed hash; a second one prolongs the first."""
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    made = insert(Suppression).values(
        organisation_id=organisation_id,
        hash=hashed,
        scope=scope,
        reason=reason,
        recorded_at=tx.now,
        until_at=until_at,
    )
    tx.session.execute(
        made.on_conflict_do_update(
            index_elements=["organisation_id", "hash", "scope"],
            set_={"reason": made.excluded.reason, "until_at": made.excluded.until_at},
        )
    )


def use_link(
    tx: Tx, organisation_id: UUID, capability: str, link_id: bytes, uses: dict[str, Appended]
) -> None:
    """Keeps which entry each act of a link made, by scope, for its receipts; behind the append.

    The index is needed, so this follows the head's lock; the rows are covered by the contact's lock, or by the
    head's when there is no contact.
    """
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    made = insert(LinkUse).values(
        [
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
    )
    tx.session.execute(
        made.on_conflict_do_update(
            index_elements=["organisation_id", "capability", "link_id", "scope"],
            set_={"entry_index": made.excluded.entry_index, "used_at": made.excluded.used_at},
        )
    )


def sweep_orphan_keys(tx: Tx, *, limit: int = 1000) -> int:
    """Deletes keys that no contact took, older than an hour; returns how many."""
    orphan = (
        select(ContactKey.organisation_id, ContactKey.key_id)
        .where(
            ContactKey.made_at < tx.now - ORPHAN_AGE,
            ~exists().where(
                Contact.organisation_id == ContactKey.organisation_id,
                Contact.key_id == ContactKey.key_id,
            ),
            ~exists().where(
                OutboxRow.organisation_id == ContactKey.organisation_id,
                OutboxRow.key_id == ContactKey.key_id,
            ),
        )
        .order_by(ContactKey.organisation_id, ContactKey.key_id)
        .limit(limit)
    )
    rows = tx.session.execute(orphan).all()
    for organisation_id, key_id in rows:
        tx.session.execute(
            delete(ContactKey).where(
                ContactKey.organisation_id == organisation_id, ContactKey.key_id == key_id
            )
        )
    return len(rows)
