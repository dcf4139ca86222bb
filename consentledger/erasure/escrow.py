"""Sealing to the escrow key (X25519), which is not on this machine: pure.

    sealed = 0x01 || ephemeral public key (32) || nonce (12) || AES-256-GCM ciphertext and tag
    key    = HKDF-SHA256(X25519(ephemeral, escrow), salt = ephemeral public || escrow public, info, 32 bytes)
    info   = "consentledger/restriction/v1\n" || organisation's id (16) || erasure's id (16), also the associated data

Keys are written as base64url without padding, 43 characters.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consentledger.kernel.errors import InputError, IntegrityError

VERSION = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
LABEL = b"consentledger/restriction/v1\n"


def seal(
    content: bytes,
    public: bytes,
    organisation_id: UUID,
    erasure_id: UUID,
    *,
    ephemeral: bytes | None = None,
    nonce: bytes | None = None,
) -> bytes:
    """Seals to an escrow key; `ephemeral` and `nonce` are for test vectors only."""
    private = X25519PrivateKey.from_private_bytes(ephemeral or os.urandom(KEY_BYTES))
    shown = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    info = _info(organisation_id, erasure_id)
    nonce = nonce or os.urandom(NONCE_BYTES)
    cipher = AESGCM(_key(shared, shown, public, info))
    return VERSION + shown + nonce + cipher.encrypt(nonce, content, info)


def open_sealed(sealed: bytes, private: bytes, organisation_id: UUID, erasure_id: UUID) -> bytes:
    """Opens what `seal` made with the escrow's private key; IntegrityError when it is another one's."""
    key = X25519PrivateKey.from_private_bytes(private)
    shown, rest = sealed[1 : 1 + KEY_BYTES], sealed[1 + KEY_BYTES :]
    info = _info(organisation_id, erasure_id)
    try:
        if sealed[:1] != VERSION:
            raise ValueError
        shared = key.exchange(X25519PublicKey.from_public_bytes(shown))
        cipher = AESGCM(_key(shared, shown, key.public_key().public_bytes_raw(), info))
        return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], info)
    except (InvalidTag, ValueError) as error:
        raise IntegrityError(
            "this restriction does not open: it is sealed to another key"
        ) from error


def new_private() -> bytes:
    """Makes an escrow's private key, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """Returns the public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def write_key(key: bytes) -> str:
    """Writes a key as base64url, 43 characters."""
    return urlsafe_b64encode(key).decode("ascii").rstrip("=")


def read_key(text: str) -> bytes:
    """Reads what `write_key` wrote; InputError for anything else."""
    try:
        key = urlsafe_b64decode(text + "=")
    except (Base64Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES or write_key(key) != text:
        raise InputError(
            "an escrow key is 32 bytes in base64url, 43 characters", field="key", reason="format"
        )
    return key


def _key(shared: bytes, shown: bytes, public: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, shown + public, info).derive(shared)


def _info(organisation_id: UUID, erasure_id: UUID) -> bytes:
    return LABEL + organisation_id.bytes + erasure_id.bytes
