"""The unsubscribe link of a permit: its id in 12 bytes, its token, its address."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass

from consentledger.kernel.tokens import Tokens, pack_link, unpack_link

BATCH_BITS = 48
MAX_ROWS = 1 << 16
PATH = "/u/"
_BATCH_TEXT = re.compile(r"[A-Za-z0-9_-]{8}\Z", re.ASCII)
_ID_TEXT = re.compile(r"[A-Za-z0-9_-]{16}\Z", re.ASCII)
_URL = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class PermitId:
    """A permit's id: the organisation's number (u32), the batch (48 random bits), the row in it (u16)."""

    organisation_number: int
    batch: int
    row: int

    def to_bytes(self) -> bytes:
        """Returns the 12 bytes that the unsubscribe token signs."""
        rest = self.batch.to_bytes(6, "big") + self.row.to_bytes(2, "big")
        return pack_link(self.organisation_number, rest)

    @classmethod
    def from_bytes(cls, link_id: bytes) -> PermitId:
        """Reads the 12 bytes of a permit's id, for example those of an unsubscribe token."""
        number, rest = unpack_link(link_id)
        return cls(number, int.from_bytes(rest[:6], "big"), int.from_bytes(rest[6:], "big"))

    def __str__(self) -> str:
        """Writes the id as people and the API see it: base64url, 16 characters, never with its MAC."""
        return urlsafe_b64encode(self.to_bytes()).decode("ascii")

    @classmethod
    def parse(cls, text: object) -> PermitId | None:
        """Reads what `str` writes; None for anything else (12 bytes have one spelling of 16 characters)."""
        if not isinstance(text, str) or _ID_TEXT.match(text) is None:
            return None
        return cls.from_bytes(urlsafe_b64decode(text))


def new_batch() -> int:
    """Returns 48 random bits: batches cannot be guessed from one another, and fit the link."""
    return int.from_bytes(os.urandom(BATCH_BITS // 8), "big")


def batch_text(batch: int) -> str:
    """Writes a batch's number as the API shows it and the entry commits it: base64url, 8 characters."""
    return urlsafe_b64encode(batch.to_bytes(6, "big")).decode("ascii")


def parse_batch(text: object) -> int | None:
    """Reads what `batch_text` writes; None for anything else."""
    if not isinstance(text, str) or _BATCH_TEXT.match(text) is None:
        return None
    return int.from_bytes(urlsafe_b64decode(text), "big")


def permit_ids(organisation_number: int, batch: int, rows: Iterable[int]) -> list[str]:
    """Returns the ids of these rows, written; one base64 call for all, which is what makes it fast."""
    head = organisation_number.to_bytes(4, "big") + batch.to_bytes(6, "big")
    joined = b"".join([head + row.to_bytes(2, "big") for row in rows])
    text = b2a_base64(joined, newline=False).translate(_URL).decode("ascii")
    return [text[start : start + 16] for start in range(0, len(text), 16)]


def link_base(link_host: str | None, base_url: str) -> str:
    """Returns what a sender's links begin with: its own link host if it has one, else the service's address."""
    return f"https://{link_host}{PATH}" if link_host else f"{base_url}{PATH}"


def unsubscribe_url(base: str, tokens: Tokens, link_id: bytes) -> str:
    """Returns the address of one permit's unsubscribe link: 74 characters with a host of 30.

    Much mail software folds longer ones into encoded words, which List-Unsubscribe must not hold (surface.md).
    """
    return base + tokens.make("unsubscribe", link_id)
