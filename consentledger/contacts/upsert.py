"""The one statement that stores a fresh key and finds or makes a contact, the same for every address.

On PostgreSQL it is one round trip. A key that another transaction stored while this statement waited for the
contact's row is not in the statement's snapshot: then, and only then, the key is read by a second one.
A key store of its own gets the key first, in a transaction of its own, and is asked for the contact's key
afterwards, which is the fresh one for a new contact: the same for every address again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import bindparam, text, update
from sqlalchemy.types import LargeBinary, Uuid

from consentledger.contacts import standing
from consentledger.contacts.models import Contact
from consentledger.contacts.queries import address_context
from consentledger.db.base import Instant, Json
from consentledger.db.keystore.store import PreparedKeys
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.ids import uuid7

_KEY = """
INSERT INTO contact_key (organisation_id, key_id, wrapped, made_at) VALUES (:org, :key, :wrapped, :at)
"""
_CONTACT = """
INSERT INTO contact (organisation_id, contact_id, lookup, key_id, sealed_address, standing, entries,
                     last_leaf_hash, created_at, touched_at)
VALUES (:org, :contact, :lookup, :key, :address, :standing, 0, NULL, :at, :at)
ON CONFLICT (organisation_id, lookup) DO UPDATE SET touched_at = excluded.touched_at
RETURNING contact_id, key_id, entries, last_leaf_hash, standing, sealed_address,
    (SELECT wrapped FROM contact_key
     WHERE contact_key.organisation_id = contact.organisation_id
       AND contact_key.key_id = contact.key_id) AS wrapped
"""
_INSTANT, _UUID, _BYTES = Instant(), Uuid(), LargeBinary()
_CONTACT_PARAMETERS = (
    bindparam("org", type_=_UUID),
    bindparam("contact", type_=_UUID),
    bindparam("lookup", type_=_BYTES),
    bindparam("key", type_=_UUID),
    bindparam("address", type_=_BYTES),
    bindparam("standing", type_=Json()),
    bindparam("at", type_=_INSTANT),
)
_COLUMNS: dict[str, Any] = {
    "contact_id": _UUID,
    "key_id": _UUID,
    "last_leaf_hash": _BYTES,
    "standing": Json(),
    "sealed_address": _BYTES,
    "wrapped": _BYTES,
}
_UPSERT = text(_CONTACT).bindparams(*_CONTACT_PARAMETERS).columns(**_COLUMNS)
_BOTH = (
    text(f"WITH stored AS ({_KEY}) {_CONTACT}")
    .bindparams(*_CONTACT_PARAMETERS, bindparam("wrapped", type_=_BYTES))
    .columns(**_COLUMNS)
)

_log = structlog.get_logger("consentledger.contacts")


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact's locked row together with its wrapped key."""

    contact_id: UUID
    key_id: UUID
    entries: int
    last_leaf_hash: bytes | None
    standing: standing.Standing = field(repr=False)
    sealed_address: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


def upsert_contact(tx: Tx, organisation_id: UUID, lookup: bytes, address: str) -> ContactRow:
    """Stores a fresh key and inserts the contact with it, or locks the one that is there."""
    keystore = tx.log.keystore
    prepared = keystore.prepare_contact(organisation_id)
    parameters = _parameters(tx, organisation_id, lookup, address, prepared)
    if keystore.separate or tx.database.name == "sqlite":
        keystore.store_many(tx, organisation_id, [prepared])
        row = tx.connection.execute(_UPSERT, parameters).one()
    else:
        row = tx.connection.execute(_BOTH, {**parameters, "wrapped": prepared.wrapped}).one()
    wrapped = row.wrapped
    if row.key_id == prepared.keys.key_id and not keystore.separate:
        wrapped = prepared.wrapped  # the statement does not see what it stored itself
    elif wrapped is None:
        found = keystore.wrapped_contacts(tx.connection, organisation_id, [row.key_id])
        wrapped = found.get(row.key_id)
    if wrapped is None:
        _set_aside(tx, organisation_id, row.contact_id)
        row, wrapped = tx.connection.execute(_UPSERT, parameters).one(), prepared.wrapped
    return ContactRow(
        row.contact_id,
        row.key_id,
        row.entries,
        row.last_leaf_hash,
        row.standing,
        row.sealed_address,
        wrapped,
    )


def _parameters(
    tx: Tx, organisation_id: UUID, lookup: bytes, address: str, prepared: PreparedKeys
) -> dict[str, Any]:
    contact_id = uuid7()
    context = address_context(organisation_id, contact_id)
    return {
        "org": organisation_id,
        "contact": contact_id,
        "lookup": lookup,
        "key": prepared.keys.key_id,
        "address": prepared.keys.sealer.seal(address.encode(), context),
        "standing": standing.empty(),
        "at": tx.now,
    }


def _set_aside(tx: Tx, organisation_id: UUID, contact_id: UUID) -> None:
    """Makes a contact whose key is gone unfindable by its address, so that the person begins anew.

    An erasure died between the key store and the rows, and will come back for this row by its id. A lost key
    looks the same from here: fsck tells the two apart.
    """
    _log.warning("contact without key set aside", contact=str(contact_id))
    tx.connection.execute(
        update(Contact)
        .where(Contact.organisation_id == organisation_id, Contact.contact_id == contact_id)
        .values(lookup=os.urandom(32))
    )
