"""One POST to somebody else's server: to a judged address, verified, bounded in time and size.

The address comes from a marketer, who must not reach through us into the operator's network. So the
name is resolved once, every answer is judged, and the connection goes to one of these very addresses
(a name that leads elsewhere a moment later gains nothing); TLS is verified against the name. Nothing
is followed, and no answer is kept but its status.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from consentledger import __version__
from consentledger.kernel.deadline import Deadline
from consentledger.kernel.network import Resolver, is_loopback, is_public, resolve

AGENT = f"consentledger/{__version__} (webhooks)"
# What says that the server is in trouble, not that this message is: it is left alone for a while.
_TROUBLE = frozenset((429, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds to connect, for any wait, and for one whole try; octets read of an answer."""

    connect: float = 5.0
    read: float = 10.0
    whole: float = 20.0
    answer: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """Where a message goes; `loopback` as in rules.check_url."""

    url: str
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one try; `status` None: there was no answer. `reason` is fit for logs and people."""

    status: int | None
    reason: str

    @property
    def told(self) -> bool:
        """The receiver has it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants nothing more (410)."""
        return self.status == 410

    @property
    def ill(self) -> bool:
        """The server failed, not this message."""
        return self.status is None or self.status in _TROUBLE


class _EndedError(Exception):
    """The try ended before anything was sent, for the reason that it says."""


class _Plain(HTTPConnection):
    """A connection to given addresses: the host's name is for TLS and the Host header only."""

    def __init__(
        self, host: str, port: int, *, addresses: Sequence[str], bounds: Bounds, **more: Any
    ):
        super().__init__(host, port, timeout=bounds.read, **more)
        self._addresses = addresses
        self._bounds = bounds
        self.line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = _reach(self._addresses, self.port or 0, self._bounds.connect)
        sock.settimeout(self._bounds.read)
        # A second handle: shut down, it ends the connection whatever TLS is doing with the first.
        self.line = sock.dup()
        return sock

    def close(self) -> None:
        """Closes both handles."""
        super().close()
        if self.line is not None:
            self.line.close()


class _Verified(_Plain, HTTPSConnection):
    """The same over TLS, certificate and name verified."""


def post(
    way: Way,
    content: bytes,
    headers: Mapping[str, str],
    *,
    bounds: Bounds | None = None,
    resolver: Resolver = socket.getaddrinfo,
) -> Posted:
    """Sends one message and says what became of it; raises nothing that a server could cause."""
    bounds = bounds or Bounds()
    parts = urlsplit(way.url)
    try:
        connection = _connection(parts, _judged(parts, way.loopback, resolver), bounds)
    except _EndedError as error:
        return Posted(None, str(error))
    with contextlib.closing(connection), Deadline(bounds.whole) as deadline:
        deadline.watch(lambda: connection.line)
        try:
            posted = _post(connection, parts, content, headers, bounds)
        except _EndedError as error:
            posted = Posted(None, str(error))
        except (OSError, HTTPError, HTTPException) as error:
            posted = Posted(None, _said(error))
    return Posted(None, "no whole answer in time") if deadline.passed else posted


def _judged(parts: SplitResult, loopback: bool, resolver: Resolver) -> list[str]:
    try:
        found = resolve(parts.hostname or "", _port(parts), resolver)
    except (OSError, UnicodeError) as error:
        raise _EndedError("the name does not resolve") from error
    local = bool(found) and loopback and all(is_loopback(each) for each in found)
    if parts.scheme != "https" and not local:
        raise _EndedError("the address must begin with https://")
    # One private answer among public ones is a trap, not a choice.
    if not local and not (found and all(is_public(each) for each in found)):
        raise _EndedError("the name leads to no public address")
    return found


def _connection(parts: SplitResult, addresses: Sequence[str], bounds: Bounds) -> _Plain:
    host, port = parts.hostname or "", _port(parts)
    if parts.scheme != "https":
        return _Plain(host, port, addresses=addresses, bounds=bounds)
    context = ssl.create_default_context()  # verifies certificate and name, TLS 1.2 or newer
    return _Verified(host, port, addresses=addresses, bounds=bounds, ssl_context=context)


def _reach(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """Connects to the first of at most three addresses that answers, within `seconds` in all."""
    tried = addresses[:3]
    reason = ""
    for address in tried:
        try:
            return socket.create_connection((address, port), timeout=seconds / len(tried))
        except TimeoutError:
            reason = "no connection in time"
        except OSError:
            reason = "no connection"
    raise _EndedError(reason)


def _post(
    connection: HTTPConnection,
    parts: SplitResult,
    content: bytes,
    headers: Mapping[str, str],
    bounds: Bounds,
) -> Posted:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {
        "User-Agent": AGENT,
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    connection.request("POST", target, content, sent, preload_content=False, decode_content=False)
    answer = connection.getresponse()
    if 300 <= answer.status < 400:
        return Posted(answer.status, f"{answer.status}: redirects are not followed")
    answer.read(bounds.answer)  # some servers take an early end for a failure
    return Posted(answer.status, str(answer.status))


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _said(error: Exception) -> str:
    """Says in a few words what failed; never what the other side wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"[:150]
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    cause = error.__cause__ or error.__context__ or error
    if isinstance(error, TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    return "the connection broke"
