"""Where keys are stored, wrapped by the master key: a contact's, and an organisation's own.

They stand in the main database or, with CONSENTLEDGER_KEYSTORE_URL, in a database of their own (docs/keystore.md).
Deleting a contact's row here is what erases the contact: nothing sealed under its key opens again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Session

from consentledger.db.keystore.database import KeyDatabase
from consentledger.db.keystore.keys import (
    KEY_BYTES,
    USES,
    ContactKeys,
    OrganisationKeys,
    PreparedKeys,
    Sealer,
    contact_keys_from,
    keyed_hash,
    organisation_keys_from,
    wrapping_context,
)
from consentledger.db.keystore.rows import insert_contact_keys
from consentledger.db.models import ContactKey, OrganisationKey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConfigurationError, IntegrityError, NotFoundError
from consentledger.kernel.ids import uuid7

__all__ = (
    "ContactKeys",
    "KeyStore",
    "OrganisationKeys",
    "PreparedKeys",
    "Sealer",
    "destroy_contact_keys",
    "keyed_hash",
)

SUPPRESSION = "suppression"
IN_CHUNK = 5_000  # SQLite takes 32,766 parameters a statement
Reader = Session | Connection


class KeyStore:
    """Makes, wraps, stores and unwraps keys. Organisations' keys are kept in memory once unwrapped.

    `master_keys` is oldest first: the newest wraps, all of them unwrap. `database` is the store of its own, or
    None: then a caller's session or transaction on the main database is where keys stand.
    """

    def __init__(self, master_keys: Sequence[bytes], database: KeyDatabase | None = None) -> None:
        self._masters = tuple(Sealer(key) for key in reversed(master_keys))  # newest first
        self.database = database
        self._organisations: dict[UUID, OrganisationKeys] = {}

    @property
    def separate(self) -> bool:
        """Says whether keys stand in a database of their own."""
        return self.database is not None

    def close(self) -> None:
        """Closes the connections to a store of its own."""
        if self.database is not None:
            self.database.close()

    def prepare_contact(self, organisation_id: UUID) -> PreparedKeys:
        """Returns fresh keys for a contact; `store_many` them before anything uses them."""
        key_id, secret = uuid7(), os.urandom(2 * KEY_BYTES)
        wrapped = self.wrap(secret, organisation_id, key_id.bytes)
        return PreparedKeys(contact_keys_from(key_id, secret), wrapped)

    def store_many(self, tx: Tx, organisation_id: UUID, prepared: Sequence[PreparedKeys]) -> None:
        """Stores contacts' fresh keys in one statement; before their contacts' rows.

        In a store of its own they are committed when this returns, whatever becomes of the transaction: keys
        that no contact took are swept when they are an hour old, so the transaction must end well before.
        """
        if not prepared:
            return
        if self.database is None:
            insert_contact_keys(tx.connection, organisation_id, prepared, tx.now)
            return
        tx.keys_were_stored()
        with self.database.write() as connection:
            insert_contact_keys(connection, organisation_id, prepared, tx.now)

    def unwrap_contact(self, organisation_id: UUID, key_id: UUID, wrapped: bytes) -> ContactKeys:
        """Returns a contact's keys from their stored row."""
        return contact_keys_from(key_id, self.unwrap(wrapped, organisation_id, key_id.bytes))

    def wrapped_contacts(
        self, session: Reader, organisation_id: UUID, key_ids: Iterable[UUID]
    ) -> dict[UUID, bytes]:
        """Reads contacts' wrapped keys, one statement for up to 5,000; those that were erased are missing."""
        wanted, found = sorted(set(key_ids)), {}
        for start in range(0, len(wanted), IN_CHUNK):
            query = select(ContactKey.key_id, ContactKey.wrapped).where(
                ContactKey.organisation_id == organisation_id,
                ContactKey.key_id.in_(wanted[start : start + IN_CHUNK]),
            )
            with self.reading(session) as reader:
                found.update({row.key_id: row.wrapped for row in reader.execute(query)})
        return found

    def contact_keys(self, session: Reader, organisation_id: UUID, key_id: UUID) -> ContactKeys:
        """Reads and unwraps one contact's keys; NotFoundError when they are missing."""
        wrapped = self.wrapped_contacts(session, organisation_id, [key_id]).get(key_id)
        if wrapped is None:
            raise NotFoundError(
                f"the key {key_id} is missing: its contact was erased, or it is lost"
            )
        return self.unwrap_contact(organisation_id, key_id, wrapped)

    def contact_keys_many(
        self, session: Reader, organisation_id: UUID, key_ids: Iterable[UUID]
    ) -> dict[UUID, ContactKeys]:
        """Reads and unwraps many contacts' keys; those that were erased are missing from the answer."""
        rows = self.wrapped_contacts(session, organisation_id, key_ids)
        return {
            key_id: self.unwrap_contact(organisation_id, key_id, wrapped)
            for key_id, wrapped in rows.items()
        }

    def create_organisation(self, session: Reader, organisation_id: UUID) -> OrganisationKeys:
        """Makes and stores a new organisation's keys; `session` is the main database's transaction."""
        secrets = {use: os.urandom(KEY_BYTES) for use in USES}
        rows = [
            self.organisation_row(organisation_id, use, 1, secret)
            for use, secret in secrets.items()
        ]
        if self.database is None:
            session.execute(insert(OrganisationKey), rows)
        else:
            with self.database.write() as connection:
                connection.execute(insert(OrganisationKey), rows)
            session.execute(insert(OrganisationKey), [version_row(organisation_id, 1)])
        return organisation_keys_from({use: [secret] for use, secret in secrets.items()})

    def organisation(self, session: Reader, organisation_id: UUID) -> OrganisationKeys:
        """Returns an organisation's keys; a missing or wrong one is an error that stops permits.

        Its suppression keys may be of yesterday: ask `current` where a hash is stored or looked up.
        """
        return self._organisations.get(organisation_id) or self._load(session, organisation_id)

    def current(self, session: Reader, organisation_id: UUID) -> OrganisationKeys:
        """Returns an organisation's keys with the suppression keys that the database's hashes stand under now."""
        version = suppression_version(session, organisation_id)
        known = self._organisations.get(organisation_id)
        if known is not None and len(known.suppression) == version:
            return known
        return self._load(session, organisation_id)

    def cached(self, organisation_id: UUID) -> OrganisationKeys | None:
        """Returns an organisation's keys if this process has unwrapped them already."""
        return self._organisations.get(organisation_id)

    def wrap(self, secret: bytes, organisation_id: UUID, name: bytes) -> bytes:
        """Wraps a key by the newest master key; `name` is a contact key's id, or `use/version`."""
        return self._masters[0].seal(secret, wrapping_context(organisation_id, name))

    def unwrap(self, wrapped: bytes, organisation_id: UUID, name: bytes) -> bytes:
        """Opens what any of the master keys wrapped, the newest tried first."""
        context = wrapping_context(organisation_id, name)
        *others, oldest = self._masters
        for master in others:
            try:
                return master.open(wrapped, context)
            except IntegrityError:
                continue
        return oldest.open(wrapped, context)

    def rewrap(self, wrapped: bytes, organisation_id: UUID, name: bytes) -> bytes | None:
        """Returns a key wrapped by the newest master key, or None when it is already."""
        context = wrapping_context(organisation_id, name)
        try:
            self._masters[0].open(wrapped, context)
        except IntegrityError:
            return self.wrap(self.unwrap(wrapped, organisation_id, name), organisation_id, name)
        return None

    def organisation_row(
        self, organisation_id: UUID, use: str, version: int, secret: bytes
    ) -> dict[str, Any]:
        """Returns the values of the row that stores one of an organisation's keys."""
        wrapped = self.wrap(secret, organisation_id, f"{use}/{version}".encode())
        return {**version_row(organisation_id, version), "use": use, "wrapped": wrapped}

    @contextmanager
    def reading(self, session: Reader) -> Iterator[Reader]:
        """Gives what keys are read through: the store's own connection, or the caller's session."""
        if self.database is None:
            yield session
            return
        with self.database.read() as connection:
            yield connection

    def _load(self, session: Reader, organisation_id: UUID) -> OrganisationKeys:
        query = (
            select(OrganisationKey.use, OrganisationKey.version, OrganisationKey.wrapped)
            .where(OrganisationKey.organisation_id == organisation_id)
            .order_by(OrganisationKey.version)
        )
        with self.reading(session) as reader:
            rows = reader.execute(query).all()
        secrets: dict[str, list[bytes]] = {}
        try:
            for use, version, wrapped in rows:
                name = f"{use}/{version}".encode()
                secrets.setdefault(use, []).append(self.unwrap(wrapped, organisation_id, name))
            if self.separate:
                # A key whose rotation did not come to its end is in the store, but no hash is under it yet.
                standing = suppression_version(session, organisation_id)
                secrets[SUPPRESSION] = secrets[SUPPRESSION][:standing]
            keys = organisation_keys_from(secrets)
        except (IntegrityError, KeyError) as error:
            raise ConfigurationError(
                "this organisation's keys do not open: CONSENTLEDGER_MASTER_KEY is not the one they were"
                " made with, or they are missing from the key store"
            ) from error
        self._organisations[organisation_id] = keys
        return keys


def suppression_version(session: Reader, organisation_id: UUID) -> int:
    """Reads, in the main database, under how many suppression keys its hashes stand."""
    query = select(func.max(OrganisationKey.version)).where(
        OrganisationKey.organisation_id == organisation_id, OrganisationKey.use == SUPPRESSION
    )
    return int(session.execute(query).scalar_one() or 0)


def version_row(organisation_id: UUID, version: int) -> dict[str, Any]:
    """Returns the main database's row that tells a suppression key's version when the key stands elsewhere."""
    return {
        "organisation_id": organisation_id,
        "use": SUPPRESSION,
        "version": version,
        "wrapped": b"",
    }


def destroy_contact_keys(tx: Tx, organisation_id: UUID, key_ids: Sequence[UUID]) -> None:
    """Deletes contacts' keys; what was sealed under them is gone for ever. Doing it twice is no error.

    In a store of its own this is committed when it returns: call it under the contacts' locks and before their
    rows go, and let whoever finds a contact without a key take it for erased.
    """
    wanted = sorted(set(key_ids))
    for start in range(0, len(wanted), IN_CHUNK):
        statement = delete(ContactKey).where(
            ContactKey.organisation_id == organisation_id,
            ContactKey.key_id.in_(wanted[start : start + IN_CHUNK]),
        )
        if tx.log.keystore.database is None:
            tx.connection.execute(statement)
            continue
        with tx.log.keystore.database.write() as connection:
            connection.execute(statement)
