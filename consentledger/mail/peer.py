"""The SMTP client itself: smtplib with verified TLS, bounded waits and the answer after DATA kept."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from consentledger.kernel.deadline import Deadline
from consentledger.kernel.network import is_public, resolve

if TYPE_CHECKING:
    from consentledger.mail.transport import TransportSettings

GOODBYE = 2.0  # seconds to wait for the answer to QUIT: nothing depends on it


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a connection or an answer, for the answer after DATA, and for one whole try.

    RFC 5321 section 4.5.3.2.6 wants a long wait after DATA, because giving up there makes
    duplicates. `whole` bounds a peer that drips one octet at a time; leases must outlast it.
    """

    answer: float = 30.0
    after_data: float = 120.0
    whole: float = 180.0


class Peer(smtplib.SMTP):
    """One connection: keeps the answer after DATA and how far this message's dialogue came."""

    def __init__(self, settings: TransportSettings, deadline: Deadline, **options: Any) -> None:
        self.patience = settings.patience
        self._public_only = settings.public_only
        self._deadline = deadline
        self.begin_message()
        super().__init__(
            settings.host,
            settings.port,
            local_hostname=settings.helo,
            timeout=settings.patience.answer,
            **options,
        )

    def begin_message(self) -> None:
        """Forgets what the last message's dialogue left."""
        self.last_answer = (0, b"")
        self.sender_taken = False
        self.dot_sent = False

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Connects as smtplib does, under the deadline from the banner on."""
        self._deadline.watch(lambda: self.sock)
        return super().connect(*args, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # smtplib's own hook, which SMTP_SSL uses too: the name for TLS stays the host's.
        addresses = public_addresses(host, port) if self._public_only else [host]
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return self._socket_at(address, port, timeout)
        return self._socket_at(addresses[-1], port, timeout)

    def _socket_at(self, address: str, port: int, timeout: float) -> socket.socket:
        return super()._get_socket(address, port, timeout)  # type: ignore[misc,no-any-return]

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        """Sends MAIL FROM and notes whether the peer began to listen."""
        code, text = super().mail(sender, options)
        self.sender_taken = code == 250
        return code, text

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Sends DATA; the answer after the last dot is what counts, and is kept."""
        self.last_answer = super().data(msg)
        self._wait(self.patience.answer)
        return self.last_answer

    def send(self, s: Any) -> None:
        """Sends octets; bytes are a whole message with its dot, after which the long wait begins."""
        super().send(s)
        if isinstance(s, bytes):
            self.dot_sent = True
            self._wait(self.patience.after_data)

    def start_over(self) -> bool:
        """Ends a refused message's dialogue; False when the connection is of no more use.

        smtplib sends no RSET after a refused DATA command: the next MAIL would be refused for it.
        """
        with contextlib.suppress(smtplib.SMTPException, OSError):
            return self.sock is not None and self.rset()[0] == 250
        return False

    def leave(self) -> None:
        """Says QUIT and closes, whatever the peer does."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._wait(GOODBYE)
            self.quit()
        self.close()

    def _wait(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)


class TlsPeer(Peer, smtplib.SMTP_SSL):
    """The same over TLS from the first octet on (RFC 8314)."""


def open_peer(settings: TransportSettings, deadline: Deadline) -> Peer:
    """Connects, turns TLS on as the settings demand, and logs in; raises what the libraries raise.

    With `starttls` a peer that does not offer it is an error: there is no way back to plain text.
    """
    if settings.tls == "implicit":
        peer: Peer = TlsPeer(settings, deadline, context=_context(settings.ca_file))
    else:
        peer = Peer(settings, deadline)
    try:
        if settings.tls == "starttls":
            peer.starttls(context=_context(settings.ca_file))
        if settings.username:
            peer.login(settings.username, settings.password or "")
    except BaseException:
        peer.close()
        raise
    return peer


def public_addresses(host: str, port: int) -> list[str]:
    """Returns the addresses of `host` that everybody can reach, best first; OSError when it has none.

    The address that was judged is the one that is connected to: a second look-up could differ.
    """
    public = [address for address in resolve(host, port) if is_public(address)]
    if not public:
        raise OSError("the mail server's name leads to no public address")
    return public


@lru_cache(maxsize=16)
def _context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()  # verifies certificate and name, TLS 1.2 or newer
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
