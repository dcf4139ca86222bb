"""Keys in memory: what seals, what labels, what hashes. Where they are stored is db.keystore's matter."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentledger.kernel.errors import IntegrityError

USES = ("seal", "lookup", "suppression")
NONCE_BYTES = 12
KEY_BYTES = 32
NOBODY = UUID(int=0)  # whose a key is that is no organisation's
_INNER = bytes(byte ^ 0x36 for byte in range(256))  # RFC 2104
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


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
    """An organisation's keys: `sealer` for what has no contact, `lookup` finds a contact.

    `suppression` is the chain of hash keys that keeps refusals, oldest first: each one wraps what the one
    before it made, so that rows outlive a key without the address (docs/adr/0012).
    """

    sealer: Sealer = field(repr=False)
    lookup: bytes = field(repr=False)
    suppression: tuple[bytes, ...] = field(repr=False)


def contact_keys_from(key_id: UUID, secret: bytes) -> ContactKeys:
    """Returns a contact's keys from their 64 secret bytes."""
    return ContactKeys(key_id, Sealer(secret[:KEY_BYTES]), secret[KEY_BYTES:])


def organisation_keys_from(secrets: dict[str, list[bytes]]) -> OrganisationKeys:
    """Returns an organisation's keys from their secrets by use, oldest first; KeyError when one is missing."""
    return OrganisationKeys(
        Sealer(secrets["seal"][-1]), secrets["lookup"][-1], tuple(secrets["suppression"])
    )


def keyed_hash(key: bytes, text: str) -> bytes:
    """Returns HMAC-SHA-256 of a folded address: the look-up or suppression hash, 32 bytes."""
    return hmac.digest(key, text.encode(), "sha256")


def keyed_hashes(key: bytes, texts: Iterable[str | None]) -> list[bytes | None]:
    """Returns `keyed_hash` of each text that there is, at thrice its rate.

    The two padded states are made once: a one-shot hmac lets the interpreter's lock go on every call, and threads
    queue for it.
    """
    padded = (
        key.ljust(64, b"\0") if len(key) <= 64 else hashlib.sha256(key).digest().ljust(64, b"\0")
    )
    inner, outer = (
        hashlib.sha256(padded.translate(_INNER)),
        hashlib.sha256(padded.translate(_OUTER)),
    )
    found: list[bytes | None] = []
    for text in texts:
        if text is None:
            found.append(None)
            continue
        first, last = inner.copy(), outer.copy()
        first.update(text.encode())
        last.update(first.digest())
        found.append(last.digest())
    return found


def wrapped_hash(key: bytes, hashed: bytes) -> bytes:
    """Returns a stored hash wrapped by a newer key, 32 bytes: HMAC(k2, HMAC(k1, address))."""
    return hmac.digest(key, hashed, "sha256")


def day_name(day: int) -> bytes:
    """Returns how the key of a day, under which mails are counted, is called; its organisation is NOBODY."""
    return f"cap/{day}".encode()


def wrapping_context(organisation_id: UUID, name: bytes) -> bytes:
    """Returns what a wrapped key is bound to: its organisation, and the key's id or its use and version."""
    return b"consentledger/key/v1\n" + organisation_id.bytes + b"\n" + name
