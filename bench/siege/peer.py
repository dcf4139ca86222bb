"""The post office: a real SMTP server that keeps of each mail who got it, from whom, when, and which links."""

from __future__ import annotations

import email
import email.policy
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller

from bench.siege.pages import links

CONFIRM = re.compile(r"/c/([A-Za-z0-9_.-]{33})")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came in: `at` by the monotonic clock, which all processes of a machine share."""

    to: str
    sender: str
    at: float
    links: tuple[str, ...]
    token: str | None

    @property
    def kind(self) -> str:
        """What the service sends to strangers: the question whether they agree, or the link of /stop."""
        return "confirmation" if self.token else "stop"


class PostOffice:
    """Listens on 127.0.0.1 while entered; whoever subscribed is told of each mail."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.listeners: list[Callable[[Mail], None]] = []
        self._lock = threading.Lock()
        self.port = free_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=True, ready_timeout=30
        )

    def copy(self) -> list[Mail]:
        """The mails that came up to now."""
        with self._lock:
            return list(self.mails)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keeps what came in."""
        at = time.monotonic()
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        token = CONFIRM.search(text)
        sender = parseaddr(str(message["From"]))[1]
        for to in envelope.rcpt_tos:
            mail = Mail(to, sender, at, tuple(links(text)), token[1] if token else None)
            with self._lock:
                self.mails.append(mail)
            for listener in self.listeners:
                listener(mail)
        return "250 2.0.0 kept"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
