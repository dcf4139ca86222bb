"""A post office for the demo: receives mail over real SMTP and keeps it as files to look into.

Just enough of RFC 5321 for a client on this machine, no relaying, no TLS. Tests of the mail path
use a stricter peer (tests/support/smtp.py).
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from consentledger.kernel.ids import uuid7

GREETING = "demo post office"
LONGEST_LINE = 1 << 20
LARGEST_MESSAGE = 10 << 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One received message: to whom it was delivered, and its bytes as they came."""

    letter_id: UUID
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """Return the message as a mail program reads it."""
        parsed = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - what this policy makes
        return parsed


class Postbox:
    """A folder of letters, newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._last: UUID | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, recipient: str, content: bytes) -> None:
        """Store one letter; its file appears whole or not at all."""
        name = self._next_id()
        draft = self._folder / f"{name}.new"
        draft.write_bytes(json.dumps({"recipient": recipient}).encode() + b"\n" + content)
        draft.rename(self._folder / f"{name}.letter")

    def _next_id(self) -> UUID:
        # Within one millisecond ids are in no order, and the list is read in theirs.
        with self._lock:
            fresh = uuid7()
            while self._last is not None and fresh <= self._last:
                fresh = uuid7()
            self._last = fresh
            return fresh

    def letters(self) -> list[Letter]:
        """Return all letters, newest first."""
        files = sorted(self._folder.glob("*.letter"), reverse=True)
        return [self._read(file) for file in files]

    def letter(self, letter_id: UUID) -> Letter | None:
        """Return one letter, or None."""
        file = self._folder / f"{letter_id}.letter"
        return self._read(file) if file.exists() else None

    def _read(self, file: Path) -> Letter:
        head, _, content = file.read_bytes().partition(b"\n")
        return Letter(UUID(file.stem), str(json.loads(head)["recipient"]), content)


class PostOffice:
    """Speaks SMTP with one client at a time per connection and puts what arrives into a postbox."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox = postbox

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one client until it leaves; used as the callback of asyncio.start_server."""
        try:
            await _say(writer, f"220 {GREETING}")
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # a client that leaves in mid-sentence, or sends a line without end
        except asyncio.CancelledError:
            pass  # closing time; asyncio would report the cancelled conversation as an error
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        while line := await reader.readline():
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].upper()
            if verb == "QUIT":
                await _say(writer, "221 2.0.0 bye")
                return
            if verb == "DATA" and recipients:
                await _say(writer, "354 go on, end with a dot on a line of its own")
                content = await _content(reader)
                for recipient in recipients:
                    await asyncio.to_thread(self._postbox.keep, recipient, content)
                await _say(writer, "250 2.0.0 delivered")
                recipients = []
            else:
                await _say(writer, _answer(verb, text, recipients))


def _answer(verb: str, text: str, recipients: list[str]) -> str:
    match verb:
        case "EHLO":
            recipients.clear()
            return f"250-{GREETING}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {LARGEST_MESSAGE}"
        case "HELO" | "MAIL" | "RSET":
            recipients.clear()
            return "250 2.0.0 ok"
        case "RCPT":
            address = text.partition(":")[2].strip().partition(">")[0].lstrip("<")
            recipients.append(address)
            return "250 2.1.5 ok"
        case "NOOP":
            return "250 2.0.0 ok"
        case "DATA":
            return "503 5.5.1 nobody to deliver to"
    return "502 5.5.1 not understood"


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(line.encode() + b"\r\n")
    await writer.drain()


async def _content(reader: asyncio.StreamReader) -> bytes:
    lines = []
    size = 0
    while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
        # RFC 5321, 4.5.2: a leading dot was doubled by the client.
        lines.append(line[1:] if line.startswith(b".") else line)
        size += len(line)
        if size > LARGEST_MESSAGE:
            raise ValueError("the message is too large")
    return b"".join(lines)
