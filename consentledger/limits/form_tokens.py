"""Signed, stateless tokens of a form as it was served: without a fresh one a post changes nothing.

A token shows that somebody loaded this version of this form, for this origin, not long ago. It is no secret and
no proof of a person: whoever writes their own client loads the form first, so what a post may cost is held by the
limits. No cookie and no session is behind it, for browsers keep neither for a form in a stranger's page.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

FRESH = timedelta(hours=2)
CHARACTERS = 76
_LAYOUT = struct.Struct(">16sIIB8s8s")  # form, version, issued at, steps, nonce, origin
_MAC_BYTES = 16
# How often this person was asked to press again: what they see then has no honeypot, and may be the waiting page.
FIRST, AGAIN, WAITING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FormToken:
    """What a token says: `step` is FIRST, AGAIN or WAITING; `nonce` tells tokens of one second apart."""

    form_id: UUID
    version: int
    issued_at: datetime
    step: int
    nonce: bytes
    origin: bytes

    def fresh(self, now: datetime) -> bool:
        """Tells whether it may still be posted; one from the future is not."""
        return self.issued_at - timedelta(seconds=5) <= now < self.issued_at + FRESH

    def is_for(self, form_id: UUID, version: int, origin: str | None) -> bool:
        """Tells whether it was served for this version of this form, to a page of this origin."""
        return (self.form_id, self.version, self.origin) == (form_id, version, _short(origin))


class FormTokens:
    """Makes and reads form tokens under the session keys (newest last); older keys are only read."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [hmac.digest(key, b"consentledger/form-token/v1", "sha256") for key in keys]

    def make(
        self,
        form_id: UUID,
        version: int,
        *,
        now: datetime,
        origin: str | None = None,
        step: int = FIRST,
    ) -> str:
        """Returns a token of 76 characters; `origin` is of the page that will post it, None on our own."""
        seconds = int(now.timestamp())
        packed = _LAYOUT.pack(form_id.bytes, version, seconds, step, os.urandom(8), _short(origin))
        return urlsafe_b64encode(packed + _mac(self._keys[-1], packed)).decode()

    def read(self, text: str | None) -> FormToken | None:
        """Returns what a token says, or None for anything that is not exactly one of ours."""
        if text is None or len(text) != CHARACTERS or not text.isascii():
            return None
        try:
            data = urlsafe_b64decode(text)
        except ValueError:
            return None
        if urlsafe_b64encode(data).decode() != text:
            return (
                None  # Python's decoder skips foreign characters: one token has one spelling only
            )
        packed, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not any(hmac.compare_digest(_mac(key, packed), mac) for key in self._keys):
            return None
        form, version, seconds, step, nonce, origin = _LAYOUT.unpack(packed)
        issued_at = datetime.fromtimestamp(seconds, UTC)
        return FormToken(UUID(bytes=form), version, issued_at, step, nonce, origin)


def _mac(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, packed, "sha256")[:_MAC_BYTES]


def _short(origin: str | None) -> bytes:
    return hashlib.sha256((origin or "").encode()).digest()[:8]
