"""Proof of work (ALTCHA, version 2): what a script must compute before a post is looked at under pressure.

PBKDF2 and not a bare hash: a browser computes it natively and away from its main thread, so that an attacker's own
program is hardly faster than a person's telephone. A solution counts once (its token is counted by the caller).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import altcha

ALGORITHM = "PBKDF2/SHA-256"
PREFIX = "00"  # one candidate in 256 solves
# Iterations of one candidate by level of pressure; 256 candidates are tried on average.
COSTS = {1: 1_000, 2: 4_000, 3: 12_000}
FRESH = timedelta(minutes=20)
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Work:
    """Makes challenges for a form's token and checks their solutions; `key` is of this installation."""

    key: bytes

    @classmethod
    def under(cls, keys: Sequence[bytes]) -> Work:
        """Works under the session keys, newest last."""
        return cls(hmac.digest(keys[-1], b"consentledger/form-work/v1", "sha256"))

    def challenge(self, token: str, level: int, now: datetime) -> dict[str, Any]:
        """Returns a challenge as JSON can say it; it is bound to the token that will be posted with it."""
        made = altcha.create_challenge(
            ALGORITHM,
            COSTS[level],
            key_prefix=PREFIX,
            expires_at=now + FRESH,
            data={"token": token},
            hmac_secret=self.key.hex(),
        )
        found: dict[str, Any] = made.to_dict()
        return found

    def level(self, payload: str | None, token: str) -> int:
        """Returns the level of pressure that a solution answers, or 0 when it is none for this token."""
        challenge = _challenge_of(payload)
        if payload is None or challenge is None or len(payload) > MOST_CHARACTERS:
            return 0
        data = challenge.get("data")
        if not isinstance(data, Mapping) or data.get("token") != token:
            return 0
        # The signature is checked before anything is computed, so a forged challenge costs us one HMAC.
        if not altcha.verify_solution(payload, self.key.hex()).verified:
            return 0
        cost = challenge.get("cost")
        return max((level for level, wanted in COSTS.items() if cost == wanted), default=0)


def _challenge_of(payload: str | None) -> Mapping[str, Any] | None:
    try:
        said = json.loads(base64.b64decode(payload or "", validate=True))
        found = said["challenge"]["parameters"]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
    return found if isinstance(found, Mapping) else None
