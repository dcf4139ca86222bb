"""A real SMTP peer that keeps the raw bytes on the wire and fails on command.

    peer.next("rcpt", "550 5.1.1 no such user")   # answers like this once, at that stage
    peer.next("data", HANG)                       # stops answering there
    peer.next("content", DROP)                    # closes the connection in the middle of DATA
    peer.next("accepted", DROP)                   # keeps the message, then closes without a 250
    peer.stop()                                   # refuses connections

Stages in their order: connect, ehlo, mail, rcpt, data (the DATA command), content (its bytes),
accepted (the answer to them). Failures wait in a queue; each acts once, when its stage is reached.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = "hang"
DROP = "drop"
STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "content", "accepted")


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted message: `content` is what stood between DATA and the final dot, unstuffed."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """Return the content as a mail program reads it; assert on `content` for the wire."""
        parsed = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def header_lines(self, name: str) -> list[bytes]:
        """Return the raw lines of a header, folded parts included, without the name."""
        head = self.content.split(b"\r\n\r\n", 1)[0]
        prefix = name.lower().encode() + b":"
        lines: list[bytes] = []
        inside = False
        for line in head.split(b"\r\n"):
            if line[:1] in (b" ", b"\t"):
                if inside:
                    lines.append(line)
                continue
            inside = line.lower().startswith(prefix)
            if inside:
                lines.append(line[len(prefix) :].strip())
        return lines


@dataclass(slots=True)
class Connection:
    """What one client sent, byte for byte, and whether it came through TLS."""

    wire: bytearray = field(default_factory=bytearray)
    encrypted: bool = False


class SmtpPeer:
    """Listens on 127.0.0.1 from `start` to `stop`; `tls` is None, "starttls" or "implicit"."""

    def __init__(
        self,
        *,
        port: int = 0,
        tls: str | None = None,
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.port = port
        self.tls = tls
        self.context = context
        self.login = login
        self.messages: list[Received] = []
        self.connections: list[Connection] = []
        self._failures: deque[tuple[str, str]] = deque()
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._protocols: set[_Protocol] = set()

    @property
    def host(self) -> str:
        """Return the address it listens on."""
        return "127.0.0.1"

    @property
    def wire(self) -> bytes:
        """Return everything that all clients sent, in the order of their connections."""
        return b"".join(bytes(connection.wire) for connection in self.connections)

    def next(self, stage: str, action: str, *, times: int = 1) -> None:
        """Queue an answer (`451 …`, `550 …`), HANG or DROP for the next time `stage` is reached."""
        assert stage in STAGES, stage
        self._failures.extend([(stage, action)] * times)

    def pending(self) -> int:
        """Return how many queued failures have not acted yet."""
        return len(self._failures)

    def wait(self, count: int = 1, timeout: float = 10) -> list[Received]:
        """Return the messages as soon as there are `count` of them; AssertionError if never."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.messages) >= count, timeout)
        assert arrived, f"{len(self.messages)} of {count} messages arrived in {timeout} s"
        return list(self.messages)

    def start(self) -> SmtpPeer:
        """Listen (again, on the same port after a stop)."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the SMTP peer did not start"
        return self

    def stop(self) -> None:
        """Stop listening and close what is open: later connections are refused."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(10)

    def __enter__(self) -> SmtpPeer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        try:
            implicit = self.context if self.tls == "implicit" else None
            server = loop.run_until_complete(
                loop.create_server(
                    lambda: _Protocol(self, loop), self.host, self.port, ssl=implicit
                )
            )
            self.port = server.sockets[0].getsockname()[1]
            self._loop = loop
            ready.set()
            loop.run_forever()
            server.close()
            for protocol in list(self._protocols):
                protocol.abort()
            loop.run_until_complete(_settle(loop))
        finally:
            loop.close()

    def _take(self, stage: str) -> str | None:
        if self._failures and self._failures[0][0] == stage:
            return self._failures.popleft()[1]
        return None

    def _keep(self, received: Received) -> None:
        with self._changed:
            self.messages.append(received)
            self._changed.notify_all()


async def _settle(loop: asyncio.AbstractEventLoop) -> None:
    tasks = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # TLS transports close in callbacks of their own.
    await asyncio.sleep(0.02)


class _Protocol(SMTP):
    def __init__(self, peer: SmtpPeer, loop: asyncio.AbstractEventLoop) -> None:
        self._peer = peer
        self._connection = Connection()
        self._inside_data = False
        self._hanging = False
        super().__init__(
            _Handler(peer, self),
            hostname="peer.test",
            ident="test peer",
            enable_SMTPUTF8=True,
            tls_context=peer.context if peer.tls == "starttls" else None,
            authenticator=self._check if peer.login else None,
            auth_require_tls=peer.tls == "starttls",
            loop=loop,
        )

    def connection_made(self, transport: Any) -> None:
        encrypted = transport.get_extra_info("ssl_object") is not None
        if self._connection not in self._peer.connections:
            self._peer.connections.append(self._connection)
            self._peer._protocols.add(self)
            action = self._peer._take("connect")
            if action is not None:
                self.transport = transport
                self._refuse(transport, action)
                return
        self._connection.encrypted = self._connection.encrypted or encrypted
        super().connection_made(transport)

    def _refuse(self, transport: Any, action: str) -> None:
        self._hanging = True
        if action == DROP:
            transport.abort()
        elif action != HANG:
            transport.write(action.encode() + b"\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._peer._protocols.discard(self)
        if self.session is not None:
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return None if self.session is None else super().eof_received()

    def data_received(self, data: bytes) -> None:
        self._connection.wire += data
        if self._hanging:
            return
        if self._inside_data:
            action = self._peer._take("content")
            if action == DROP:
                self.abort()
                return
            if action == HANG:
                self._hanging = True
                return
        super().data_received(data)

    def abort(self) -> None:
        # Python 3.11.2 can't abort a TLS transport that is closing already.
        if isinstance(self.transport, asyncio.WriteTransport) and not self.transport.is_closing():
            self.transport.abort()

    async def smtp_DATA(self, arg: str) -> None:
        action = self._peer._take("data")
        if action is not None:
            await self.act(action)
            return
        self._inside_data = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self._inside_data = False

    async def act(self, action: str) -> None:
        """Hang, drop, or answer in our own words."""
        if action == HANG:
            self._hanging = True
            await asyncio.get_running_loop().create_future()
        elif action == DROP:
            self.abort()
        else:
            await self.push(action)

    def _check(
        self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any
    ) -> Any:
        if isinstance(data, LoginPassword) and self._peer.login is not None:
            user, password = self._peer.login
            if (data.login, data.password) == (user.encode(), password.encode()):
                return AuthResult(success=True)
        return AuthResult(success=False, handled=False)


class _Handler:
    def __init__(self, peer: SmtpPeer, protocol: _Protocol) -> None:
        self._peer = peer
        self._protocol = protocol

    async def _answer(self, stage: str) -> str | None:
        action = self._peer._take(stage)
        if action in (HANG, DROP):
            await self._protocol.act(action)
            return "421 closing"
        return action

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        refusal = await self._answer("ehlo")
        return [refusal] if refusal else answers

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._peer.login is not None and not session.authenticated:
            return "530 5.7.0 authentication required"
        refusal = await self._answer("mail")
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self._answer("rcpt")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        action = self._peer._take("accepted")
        if action is not None and action not in (HANG, DROP):
            return action
        received = Received(str(envelope.mail_from), tuple(envelope.rcpt_tos), content)
        self._peer._keep(received)
        if action is not None:
            await self._protocol.act(action)
        return "250 2.0.0 kept"
