"""The one statement that stores a fresh key and finds or makes a contact, the same for every address.

On PostgreSQL it is one round trip. A key that another transaction stored while this statement waited for the
contact's row is not in the statement's snapshot: then, and only then, the key is read by a second one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.types import LargeBinary, Uuid

from consentledger.contacts import standing
from consentledger.contacts.queries import address_context
from consentledger.db.base import Instant, Json
from consentledger.db.keystore import contact_key_row
from consentledger.db.models import ContactKey
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
_KEY_PARAMETERS = (
    bindparam("org", type_=_UUID),
    bindparam("key", type_=_UUID),
    bindparam("wrapped", type_=_BYTES),
    bindparam("at", type_=_INSTANT),
)
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
_STORE_KEY = text(_KEY).bindparams(*_KEY_PARAMETERS)
_UPSERT = text(_CONTACT).bindparams(*_CONTACT_PARAMETERS).columns(**_COLUMNS)
_BOTH = (
    text(f"WITH stored AS ({_KEY}) {_CONTACT}")
    .bindparams(*_CONTACT_PARAMETERS, bindparam("wrapped", type_=_BYTES))
    .columns(**_COLUMNS)
)


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
    prepared = tx.log.keystore.prepare_contact(organisation_id)
    contact_id = uuid7()
    key = contact_key_row(prepared, organisation_id, tx.now)
    parameters = {
        "org": organisation_id,
        "contact": contact_id,
        "lookup": lookup,
        "key": key["key_id"],
        "wrapped": key["wrapped"],
        "address": prepared.keys.sealer.seal(
            address.encode(), address_context(organisation_id, contact_id)
        ),
        "standing": standing.empty(),
        "at": tx.now,
    }
    if tx.database.name == "sqlite":
        stored = {name: parameters[name] for name in ("org", "key", "wrapped", "at")}
        tx.connection.execute(_STORE_KEY, stored)
        del parameters["wrapped"]
        row = tx.connection.execute(_UPSERT, parameters).one()
    else:
        row = tx.connection.execute(_BOTH, parameters).one()
    wrapped = row.wrapped
    if row.key_id == prepared.keys.key_id:
        wrapped = prepared.wrapped  # the statement does not see what it stored itself
    elif wrapped is None:
        wrapped = tx.connection.execute(
            select(ContactKey.wrapped).where(
                ContactKey.organisation_id == organisation_id, ContactKey.key_id == row.key_id
            )
        ).scalar_one()
    return ContactRow(
        row.contact_id,
        row.key_id,
        row.entries,
        row.last_leaf_hash,
        row.standing,
        row.sealed_address,
        wrapped,
    )
