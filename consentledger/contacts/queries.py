"""Reads of contacts: by keyed hash only, since no address stands in the database."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts.address import FOLD_VERSION
from consentledger.contacts.models import Contact, LastSend, LinkUse
from consentledger.db.keystore.keys import keyed_hashes
from consentledger.db.keystore.store import ContactKeys, OrganisationKeys, keyed_hash
from consentledger.db.models import ContactEntry


def lookup_hash(keys: OrganisationKeys, folded: str) -> bytes:
    """Returns the hash that finds a contact by its folded address, 32 bytes."""
    return keyed_hash(keys.lookup, f"{FOLD_VERSION}\n{folded}")


def lookup_hashes(keys: OrganisationKeys, folded: Iterable[str | None]) -> list[bytes | None]:
    """Returns the look-up hash of each folded address that there is."""
    start = f"{FOLD_VERSION}\n"
    return keyed_hashes(keys.lookup, [None if one is None else start + one for one in folded])


def address_context(organisation_id: UUID, contact_id: UUID) -> bytes:
    """Returns what a contact's sealed address is bound to."""
    return b"consentledger/address/v1\n%b\n%b" % (organisation_id.bytes, contact_id.bytes)


def open_address(keys: ContactKeys, organisation_id: UUID, contact_id: UUID, sealed: bytes) -> str:
    """Opens a contact's sealed address."""
    return keys.sealer.open(sealed, address_context(organisation_id, contact_id)).decode()


def contact_by_lookup(session: Session, organisation_id: UUID, lookup: bytes) -> Contact | None:
    """Reads the contact that a look-up hash finds."""
    return session.scalar(
        select(Contact).where(Contact.organisation_id == organisation_id, Contact.lookup == lookup)
    )


def entry_indexes(session: Session, organisation_id: UUID, contact_id: UUID) -> list[int]:
    """Reads the log indexes of a contact's entries, in order: the n-th is the entry with label n."""
    return list(
        session.scalars(
            select(ContactEntry.entry_index)
            .where(
                ContactEntry.organisation_id == organisation_id,
                ContactEntry.contact_id == contact_id,
            )
            .order_by(ContactEntry.entry_index)
        )
    )


def link_uses(
    session: Session, organisation_id: UUID, capability: str, link_id: bytes
) -> dict[str, LinkUse]:
    """Reads what a link was used for, by scope; `link_id` is its own 8 bytes."""
    rows = session.scalars(
        select(LinkUse).where(
            LinkUse.organisation_id == organisation_id,
            LinkUse.capability == capability,
            LinkUse.link_id == link_id,
        )
    )
    return {row.scope: row for row in rows}


def sent_since(session: Session, organisation_id: UUID, first: int) -> set[UUID]:
    """Reads the contacts whose last message is told by an entry at or beyond `first`: they count as affected by it."""
    query = select(LastSend.contact_id).where(
        LastSend.organisation_id == organisation_id, LastSend.entry_index >= first
    )
    return set(session.scalars(query))
