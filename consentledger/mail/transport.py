"""The hardened way out: Flask-Mail behind a private little Flask app, the only place that knows it.

Added to Flask-Mail 0.10: certificates are verified, every wait is bounded, STARTTLS is never given
up for plain text, one connection carries many messages, the finished bytes leave as they were built,
and each try ends in a `Delivery` instead of an exception. Sources: RFC 5321 (replies), RFC 3207
(STARTTLS), RFC 4954 (AUTH), RFC 6531 (SMTPUTF8), RFC 8314 (TLS on submission).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from flask import Flask
from flask_mail import BadHeaderError, Connection, Mail, Message

from consentledger.kernel.deadline import Deadline
from consentledger.kernel.errors import ConfigurationError
from consentledger.mail.message import WireMail
from consentledger.mail.peer import Patience, Peer, open_peer
from consentledger.mail.result import Delivery, deferred, judge, printable

STARTTLS, IMPLICIT, NONE = "starttls", "implicit", "none"


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Where mail leaves. `tls`: starttls (verified, the default), implicit (port 465) or none.

    `ca_file` adds a private authority; `public_only` is for hosts that the operator did not choose:
    no loopback, private or metadata address is connected to, whatever the name resolves to; `helo` is
    this host's name (a look-up by the library can hang); `patience` bounds the waits;
    `most_per_connection` and `most_idle` (seconds) end reuse.
    """

    host: str
    port: int = 587
    tls: str = STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    helo: str = "localhost.localdomain"
    public_only: bool = False
    patience: Patience = field(default_factory=Patience)
    most_per_connection: int = 100
    most_idle: float = 20.0

    def __post_init__(self) -> None:
        if self.tls not in (STARTTLS, IMPLICIT, NONE):
            raise ConfigurationError(
                f"mail tls must be starttls, implicit or none, not {self.tls!r}"
            )
        if self.username and self.tls == NONE:
            raise ConfigurationError(
                "a mail password is never sent without TLS: set tls to starttls"
            )
        if not 0 < self.port < 65536 or not self.host:
            raise ConfigurationError("the mail server needs a host and a port from 1 to 65535")


class _FinishedMessage(Message):
    """A message that is bytes already; Flask-Mail would refold it at 78 and name it anew each try."""

    def __init__(self, mail: WireMail) -> None:
        options = ["SMTPUTF8"] if mail.smtputf8 else []
        super().__init__(
            sender=mail.envelope_from, recipients=[mail.recipient], mail_options=options
        )
        self.finished = mail

    def as_bytes(self) -> bytes:
        return self.finished.data


class _Connection(Connection):
    """Flask-Mail's connection with a verified, patient peer and addresses left as they are."""

    host: Peer

    def __init__(self, mail: Mail, settings: TransportSettings, deadline: Deadline) -> None:
        super().__init__(mail)
        self.settings = settings
        self.deadline = deadline

    def configure_host(self) -> Peer:
        """Connects, turns TLS on and logs in; raises what smtplib, ssl or the socket raise."""
        return open_peer(self.settings, self.deadline)

    def send_finished(self, message: _FinishedMessage) -> None:
        """Sends the bytes as they are; Flask-Mail's `send` can't take a non-ASCII local part."""
        if message.has_bad_headers():
            raise BadHeaderError
        mail = message.finished
        self.host.sendmail(
            mail.envelope_from, mail.recipient, message.as_bytes(), message.mail_options
        )
        self.num_emails += 1


class Transport:
    """One way out, for one thread: `send` reuses its connection; `close` says goodbye.

    Never raises for what a peer or the network does: that is a `Delivery`.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self.settings = settings
        self._app = Flask("consentledger.mail")
        self._mail = Mail(self._app)
        self._connection: _Connection | None = None
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, mail: WireMail) -> Delivery:
        """Hands one message to the peer and says what became of it."""
        with Deadline(self.settings.patience.whole) as deadline, self._app.app_context():
            delivery = self._try(mail, deadline)
            if delivery.stale:
                # The peer had closed an idle connection: nothing was handed over, so once more.
                delivery = self._try(mail, deadline)
        if deadline.passed and not delivery.accepted:
            text = f"no end within {self.settings.patience.whole:g} s"
            return replace(deferred("deadline", text), uncertain=delivery.uncertain)
        return delivery

    def close(self) -> None:
        """Ends the connection politely if the peer still listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.host.leave()

    def _try(self, mail: WireMail, deadline: Deadline) -> Delivery:
        reused = self._fresh_enough()
        peer: Peer | None = None
        try:
            connection = self._connect(deadline)
            peer = own = connection.host
            deadline.watch(lambda: own.sock)
            peer.begin_message()
            connection.send_finished(_FinishedMessage(mail))
        except Exception as error:
            dot_sent = peer is not None and peer.dot_sent
            delivery = judge(error, connected=peer is not None, dot_sent=dot_sent)
            if peer is not None and delivery.code is not None and peer.start_over():
                self._used_at = time.monotonic()  # a clear answer: the dialogue is in order
                return delivery
            self._drop()
            stale = reused and peer is not None and not peer.sender_taken
            return replace(delivery, stale=stale and delivery.phase in ("drop", "sender"))
        self._used_at = time.monotonic()
        code, text = peer.last_answer
        return Delivery("accepted", "data", code, printable(text))

    def _fresh_enough(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        idle = time.monotonic() - self._used_at
        if (
            connection.num_emails < self.settings.most_per_connection
            and idle < self.settings.most_idle
        ):
            return True
        self.close()
        return False

    def _connect(self, deadline: Deadline) -> _Connection:
        if self._connection is None:
            connection = _Connection(self._mail, self.settings, deadline)
            connection.host = connection.configure_host()
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.host.close()
