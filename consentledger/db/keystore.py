"""Keys that live in the database, wrapped by the master key: a contact's, and an organisation's own.

Deleting a contact's row here is what erases the contact: nothing sealed under its key opens again.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from consentledger.db.models import ContactKey, OrganisationKey
from consentledger.kernel.errors import ConfigurationError, IntegrityError, NotFoundError
from consentledger.kernel.ids import uuid7

USES = ("seal", "lookup", "suppression")
NONCE_BYTES = 12
KEYS_AT_ONCE = 1_000
_KEY = 32


class Sealer:
    """AES-256-GCM under one key: nonce, then ciphertext and tag; the context is authenticated with it."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, context: bytes) -> bytes:
        """Returns nonce || ciphertext || tag under a fresh random nonce."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Returns the content; IntegrityError when key, context or bytes do not belong together."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                "sealed bytes do not open: wrong key, or changed by hand"
            ) from error


@dataclass(frozen=True, slots=True)
class ContactKeys:
    """A contact's own keys: `sealer` for openings and address, `label` for the labels of its entries."""

    key_id: UUID
    sealer: Sealer = field(repr=False)
    label: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedKeys:
    """Fresh contact keys with the row that stores them; an unused row is an orphan and is swept."""

    keys: ContactKeys
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    """An organisation's keys: `sealer` for what has no contact, two hash keys for look-up and suppression."""

    sealer: Sealer = field(repr=False)
    lookup: bytes = field(repr=False)
    suppression: bytes = field(repr=False)


class KeyStore:
    """Makes, wraps and unwraps keys. Organisations' keys are kept in memory once unwrapped."""

    def __init__(self, master_keys: Sequence[bytes]) -> None:
        self._master = Sealer(master_keys[-1])
        self._organisations: dict[UUID, OrganisationKeys] = {}

    def prepare_contact(self, organisation_id: UUID) -> PreparedKeys:
        """Returns fresh keys for a contact; store them with `contact_key_row` before anything uses them."""
        key_id, secret = uuid7(), os.urandom(2 * _KEY)
        wrapped = self._master.seal(secret, _context(organisation_id, key_id.bytes))
        return PreparedKeys(_contact_keys(key_id, secret), wrapped)

    def unwrap_contact(self, organisation_id: UUID, key_id: UUID, wrapped: bytes) -> ContactKeys:
        """Returns a contact's keys from their stored row."""
        return _contact_keys(
            key_id, self._master.open(wrapped, _context(organisation_id, key_id.bytes))
        )

    def contact_keys(self, session: Session, organisation_id: UUID, key_id: UUID) -> ContactKeys:
        """Reads and unwraps one contact's keys; NotFoundError when they were erased."""
        wrapped = session.execute(
            select(ContactKey.wrapped).where(
                ContactKey.organisation_id == organisation_id, ContactKey.key_id == key_id
            )
        ).scalar_one_or_none()
        if wrapped is None:
            raise NotFoundError("this contact's key was erased")
        return self.unwrap_contact(organisation_id, key_id, wrapped)

    def contact_keys_many(
        self, session: Session, organisation_id: UUID, key_ids: Iterable[UUID]
    ) -> dict[UUID, ContactKeys]:
        """Reads and unwraps many contacts' keys at once; those that were erased are missing from the answer."""
        wanted, found = sorted(set(key_ids)), {}
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            rows = session.execute(
                select(ContactKey.key_id, ContactKey.wrapped).where(
                    ContactKey.organisation_id == organisation_id,
                    ContactKey.key_id.in_(wanted[start : start + KEYS_AT_ONCE]),
                )
            )
            for key_id, wrapped in rows:
                found[key_id] = self.unwrap_contact(organisation_id, key_id, wrapped)
        return found

    def create_organisation(self, session: Session, organisation_id: UUID) -> OrganisationKeys:
        """Makes and stores a new organisation's keys."""
        secrets = {use: os.urandom(_KEY) for use in USES}
        session.execute(
            insert(OrganisationKey),
            [
                {
                    "organisation_id": organisation_id,
                    "use": use,
                    "version": 1,
                    "wrapped": self._master.seal(
                        secret, _context(organisation_id, f"{use}/1".encode())
                    ),
                }
                for use, secret in secrets.items()
            ],
        )
        return _organisation_keys(secrets)

    def organisation(self, session: Session, organisation_id: UUID) -> OrganisationKeys:
        """Returns an organisation's keys; a missing or wrong one is an error that stops permits."""
        cached = self._organisations.get(organisation_id)
        if cached is None:
            rows = session.execute(
                select(OrganisationKey.use, OrganisationKey.version, OrganisationKey.wrapped)
                .where(OrganisationKey.organisation_id == organisation_id)
                .order_by(OrganisationKey.version)
            ).all()
            cached = self._organisations[organisation_id] = self._unwrap(organisation_id, rows)
        return cached

    def cached(self, organisation_id: UUID) -> OrganisationKeys | None:
        """Returns an organisation's keys if this process has unwrapped them already."""
        return self._organisations.get(organisation_id)

    def _unwrap(
        self, organisation_id: UUID, rows: Sequence[tuple[str, int, bytes]]
    ) -> OrganisationKeys:
        try:
            secrets = {
                use: self._master.open(
                    wrapped, _context(organisation_id, f"{use}/{version}".encode())
                )
                for use, version, wrapped in rows
            }
            return _organisation_keys(secrets)
        except (IntegrityError, KeyError) as error:
            raise ConfigurationError(
                "this organisation's keys do not open: CONSENTLEDGER_MASTER_KEY is not the one they were made with"
            ) from error


def contact_key_row(
    prepared: PreparedKeys, organisation_id: UUID, made_at: datetime
) -> dict[str, object]:
    """Returns the values of the `contact_key` row that stores prepared keys."""
    return {
        "organisation_id": organisation_id,
        "key_id": prepared.keys.key_id,
        "wrapped": prepared.wrapped,
        "made_at": made_at,
    }


def destroy_contact_keys(session: Session, organisation_id: UUID, key_ids: Sequence[UUID]) -> None:
    """Deletes contacts' keys; what was sealed under them is gone for ever."""
    session.execute(
        delete(ContactKey).where(
            ContactKey.organisation_id == organisation_id, ContactKey.key_id.in_(sorted(key_ids))
        )
    )


def keyed_hash(key: bytes, text: str) -> bytes:
    """Returns HMAC-SHA-256 of a folded address: the look-up or suppression hash, 32 bytes."""
    return hmac.digest(key, text.encode(), "sha256")


def _contact_keys(key_id: UUID, secret: bytes) -> ContactKeys:
    return ContactKeys(key_id, Sealer(secret[:_KEY]), secret[_KEY:])


def _organisation_keys(secrets: dict[str, bytes]) -> OrganisationKeys:
    return OrganisationKeys(Sealer(secrets["seal"]), secrets["lookup"], secrets["suppression"])


def _context(organisation_id: UUID, name: bytes) -> bytes:
    return b"consentledger/key/v1\n" + organisation_id.bytes + b"\n" + name
