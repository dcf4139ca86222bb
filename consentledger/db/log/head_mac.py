"""The MAC of a head under APPEND_KEY: the signer demands it, so a row put in by hand is never signed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from consentledger.kernel.errors import IntegrityError
from consentledger.ledger.merkle import Frontier


class HeadMac:
    """Makes and checks the MAC of heads; `append_keys` oldest first, the newest makes, all of them check."""

    def __init__(self, append_keys: Sequence[bytes]) -> None:
        self._keys = tuple(append_keys)

    def make(self, origin: str, frontier: Frontier) -> bytes:
        """Returns the MAC over origin, size and frontier, 32 bytes."""
        return _mac(self._keys[-1], origin, frontier)

    def is_newest(self, origin: str, frontier: Frontier, mac: bytes) -> bool:
        """Tells whether a head's MAC is by the newest key, so that the older ones are not needed for it."""
        return hmac.compare_digest(mac, self.make(origin, frontier))

    def check(self, origin: str, frontier: Frontier, root: bytes, mac: bytes) -> None:
        """Raises IntegrityError unless the head's root and MAC belong to its frontier."""
        known = any(
            hmac.compare_digest(mac, _mac(key, origin, frontier)) for key in reversed(self._keys)
        )
        if not known or root != frontier.root():
            raise IntegrityError(
                f"the head of {origin} was changed by hand, or CONSENTLEDGER_APPEND_KEY is not the one it was made with"
            )


def _mac(key: bytes, origin: str, frontier: Frontier) -> bytes:
    message = b"consentledger/head/v1\n%s\n%d\n%s" % (
        origin.encode(),
        frontier.size,
        frontier.to_bytes(),
    )
    return hmac.digest(key, message, "sha256")
