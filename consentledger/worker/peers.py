"""How each peer does, known to all threads of a worker, so that a sick one keeps nobody waiting.

A peer (an SMTP server, a webhook's host) that hangs would else hold every thread, one job after the
other, while other organisations' work waits. So one peer never gets all threads; after a failure of
its own it rests, longer each time, and then one job tries it first. Work for a resting peer goes back
uncounted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

from consentledger.kernel.errors import ConsentLedgerError
from consentledger.mail.result import Delivery

_WAIT_FOR_A_PLACE = 0.5  # seconds until a full peer is asked again
_SERVICE_NOT_AVAILABLE = 421  # RFC 5321 section 4.2.2


class RestingError(ConsentLedgerError):
    """The peer rests, or enough threads are at it: come again after `seconds`."""

    code = "resting"

    def __init__(self, seconds: float) -> None:
        super().__init__("the peer rests")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Rest:
    """Seconds that a failed peer is left alone: `first`, doubled with each failure up to `longest`."""

    first: float = 15.0
    longest: float = 300.0


@dataclass(slots=True)
class _Peer:
    busy: int = 0
    failures: int = 0
    rests_until: float = 0.0


class Peers:
    """Lets at most `most` threads at one peer, and none while it rests."""

    def __init__(self, most: int, rest: Rest | None = None) -> None:
        self._most = max(1, most)
        self._rest = rest or Rest()
        self._left = threading.Condition()
        self._peers: dict[Hashable, _Peer] = {}

    def enter(self, way: Hashable, patience: float = 0.0) -> None:
        """Takes a place at a peer, or raises RestingError; each `enter` is followed by a `leave`.

        A full peer's place is waited for up to `patience` seconds; a resting peer is not.
        """
        until = time.monotonic() + patience
        with self._left:
            while True:
                peer, at = self._peers.setdefault(way, _Peer()), time.monotonic()
                if peer.rests_until > at:
                    raise RestingError(peer.rests_until - at)
                if peer.busy < (1 if peer.failures else self._most):
                    peer.busy += 1
                    return
                if at >= until:
                    raise RestingError(_WAIT_FOR_A_PLACE)
                self._left.wait(until - at)

    def leave(self, way: Hashable, *, ill: bool) -> None:
        """Gives the place back; `ill` says that the peer itself failed, not this piece of work."""
        with self._left:
            peer = self._peers[way]
            peer.busy -= 1
            self._left.notify_all()
            if not ill:
                peer.failures = 0
            elif time.monotonic() >= peer.rests_until:  # else it was counted already
                seconds = min(self._rest.longest, self._rest.first * 2.0 ** min(peer.failures, 60))
                peer.failures += 1
                peer.rests_until = time.monotonic() + seconds
            if not peer.busy and not peer.failures:
                del self._peers[way]


def sick(delivery: Delivery) -> bool:
    """Says whether the peer failed, not this message: no clear answer, or one about itself."""
    if delivery.outcome != "deferred":
        return False
    about_itself = delivery.phase in ("connect", "tls", "login")
    return delivery.code is None or about_itself or delivery.code == _SERVICE_NOT_AVAILABLE
