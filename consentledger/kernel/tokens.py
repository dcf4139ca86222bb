"""Links that carry one capability each: a 12-byte id and a 96-bit MAC, 33 characters.

The MAC is an itsdangerous HMAC-SHA-256 cut to 96 bits, one salt per capability (product.md, promise 7), under a
list of keys of which none is ever dropped, so that an unsubscribe link works for ever. itsdangerous derives the
key anew on every call, so the derived keys are kept here, as hash states ready to copy: a one-shot
`hmac.digest` lets the interpreter lock go on every call and makes threads queue for it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

CAPABILITIES = ("confirm", "unsubscribe", "receipt", "stop")
ID_BYTES = 12
MAC_BYTES = 12
TOKEN_CHARACTERS = 33
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class _ShortMac(HMACAlgorithm):
    """HMAC-SHA-256 cut to its first 96 bits, with the two padded hash states made once per key."""

    def __init__(self, key: bytes) -> None:
        super().__init__(hashlib.sha256)
        padded = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        """Returns 12 bytes; `key` was absorbed when this object was made."""
        inner = self._inner.copy()
        inner.update(value)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[:MAC_BYTES]


def _macs(keys: Sequence[bytes], capability: str) -> list[_ShortMac]:
    # itsdangerous' own derivation (django-concat), so that another implementation can follow it.
    salt = f"consentledger.{capability}.v1".encode()
    return [
        _ShortMac(Signer(key, salt=salt, digest_method=hashlib.sha256).derive_key()) for key in keys
    ]


class Tokens:
    """Makes and reads the tokens of every capability; `link_keys` oldest first, the newest signs."""

    def __init__(self, link_keys: Sequence[bytes]) -> None:
        if not link_keys:
            raise ValueError("at least one link key is needed")
        self._macs = {name: _macs(link_keys, name) for name in CAPABILITIES}

    def make(self, capability: str, link_id: bytes) -> str:
        """Returns the 33-character token of a 12-byte id: id, a dot, MAC, both base64url without padding."""
        if len(link_id) != ID_BYTES:
            raise ValueError("a link id has 12 bytes")
        signed = urlsafe_b64encode(link_id)
        mac = self._macs[capability][-1].get_signature(b"", signed)
        return f"{signed.decode()}.{urlsafe_b64encode(mac).decode()}"

    def make_many(self, capability: str, link_ids: Sequence[bytes]) -> list[str]:
        """Returns what `make` returns for each id; one base64 call for all of them."""
        mac = self._macs[capability][-1].get_signature
        joined = b"".join(link_ids)
        if len(joined) != ID_BYTES * len(link_ids):
            raise ValueError("a link id has 12 bytes")
        signed = urlsafe_b64encode(joined)
        ids = [signed[start : start + 16] for start in range(0, len(signed), 16)]
        macs = urlsafe_b64encode(b"".join([mac(b"", one) for one in ids])).decode()
        text = signed.decode()
        return [
            f"{text[start : start + 16]}.{macs[start : start + 16]}"
            for start in range(0, len(text), 16)
        ]

    def read(self, capability: str, token: str) -> bytes | None:
        """Returns the 12-byte id, or None for anything that is not exactly one of our tokens for `capability`."""
        if len(token) != TOKEN_CHARACTERS or token[16] != "." or not token.isascii():
            return None
        signed = token[:16].encode()
        try:
            link_id = urlsafe_b64decode(signed)
            given = urlsafe_b64decode(token[17:])
        except ValueError:
            return None
        if len(link_id) != ID_BYTES or len(given) != MAC_BYTES:
            return None
        if token != f"{urlsafe_b64encode(link_id).decode()}.{urlsafe_b64encode(given).decode()}":
            return None  # Python's decoder skips foreign characters: one id has one spelling only
        for mac in reversed(self._macs[capability]):
            if hmac.compare_digest(mac.get_signature(b"", signed), given):
                return link_id
        return None


def pack_link(organisation_number: int, rest: bytes) -> bytes:
    """Returns a 12-byte link id: the organisation's number (u32, big-endian) and 8 bytes of its own."""
    return organisation_number.to_bytes(4, "big") + rest


def unpack_link(link_id: bytes) -> tuple[int, bytes]:
    """Returns the organisation's number and the 8 remaining bytes of a link id."""
    return int.from_bytes(link_id[:4], "big"), link_id[4:]
