"""Proof of work (ALTCHA, version 2): what a script must compute before a post is looked at under pressure.

PBKDF2 and not a bare hash: a browser computes it natively and away from its main thread, so that an attacker's own
program is hardly faster than a person's telephone (docs/adr/0017 says what it is worth). A solution counts once: the
limiter counts the token that it was made for (Limiter.take_work).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """Makes challenges for a form's token and checks their solutions, under secrets of this installation.

    New ones are made under the last secret; solutions of challenges under the others still count.
    """

    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def under(cls, keys: Sequence[bytes]) -> Work:
        """Works under the session keys, newest last."""
        return cls(
            tuple(hmac.digest(key, b"consentledger/form-work/v1", "sha256").hex() for key in keys)
        )

    def challenge(self, token: str, level: int, now: datetime) -> dict[str, Any]:
        """Returns a challenge of a level, 1 to 3, as JSON can say it; only a post with this token can pay with it."""
        made = altcha.create_challenge(
            ALGORITHM,
            COSTS[level],
            key_prefix=PREFIX,
            expires_at=now + FRESH,
            data={"token": token},
            hmac_secret=self.secrets[-1],
        )
        found: dict[str, Any] = made.to_dict()
        return found

    def level(self, payload: str | None, token: str) -> int:
        """Returns the level of pressure that a solution answers, or 0 when it is none for this token.

        `payload` is whatever was posted: standard base64 of the JSON that ALTCHA's own clients send. What is not
        signed by us costs one HMAC for each secret; only a challenge of ours is computed, once.
        """
        solved = _read(payload)
        if solved is None or solved.challenge.parameters.data != {"token": token}:
            return 0
        if not any(altcha.verify_solution(solved, secret).verified for secret in self.secrets):
            return 0
        cost = solved.challenge.parameters.cost
        return max((level for level, wanted in COSTS.items() if cost == wanted), default=0)


def _read(payload: str | None) -> altcha.Payload | None:
    if payload is None or len(payload) > MOST_CHARACTERS:
        return None
    try:
        return altcha.Payload.from_dict(json.loads(base64.b64decode(payload, validate=True)))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Whatever it is, it is none of ours: not base64, not JSON, too deep, or of another shape.
        return None
