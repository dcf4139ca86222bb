"""Sealing and reading the journal's records, wherever its lines are kept."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consentledger.db.keystore.store import Sealer
from consentledger.kernel.clock import from_text, now, to_text
from consentledger.kernel.errors import IntegrityError

CONTEXT = b"consentledger/journal/v1"
ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that must not be lost: `what` names its kind (stop, erasure), `content` is as it was given.

    `record_id` is random, 8 bytes: whoever replays it keeps it with the act, so that nothing is done twice.
    """

    record_id: bytes
    at: datetime
    what: str
    content: Mapping[str, Any] = field(repr=False)


class Lines(Protocol):
    """Where the journal's lines are kept, in order, durably, for several processes at once."""

    def append(self, line: bytes) -> None:
        """Writes a line durably; the lock must be held."""

    def read(self) -> Iterator[bytes]:
        """Yields every line that was written whole, without its line feed."""

    def replace(self, lines: Iterable[bytes]) -> None:
        """Writes these lines in the place of all; the lock must be held."""

    def locked(self) -> AbstractContextManager[None]:
        """Keeps every other writer out, in this process and in others; not to be nested."""


class Journal:
    """Appends and reads sealed records; `master_keys` oldest first: the newest seals, all of them open."""

    def __init__(self, lines: Lines, master_keys: Sequence[bytes]) -> None:
        self._lines = lines
        self._sealers = [Sealer(_derived(key)) for key in reversed(master_keys)]

    def append(
        self, record: Mapping[str, Any], *, only_if: Callable[[], bool] | None = None
    ) -> bool:
        """Writes a record durably; `record["what"]` names its kind. Says whether it was written.

        `only_if` is asked under the journal's lock: a recovery thaws under the same lock, so no stop can be
        written behind its last look. UnavailableError when the record can't be written.
        """
        content = {**record, "id": os.urandom(ID_BYTES).hex(), "at": to_text(now())}
        line = self._sealed(content)
        with self._lines.locked():
            if only_if is not None and not only_if():
                return False
            self._lines.append(line)
        return True

    def records(self) -> Iterator[Record]:
        """Yields every record in order, also those that were done; IntegrityError for a line that does not open."""
        return (record for record in self._all() if record.what != "done")

    def pending(self, what: str) -> Iterator[Record]:
        """Yields the records of one kind that were not marked done."""
        done = {found for record in self._all() if record.what == "done" for found in _ids(record)}
        return (
            record
            for record in self._all()
            if record.what == what and record.record_id.hex() not in done
        )

    def mark_done(self, record: Record) -> None:
        """Writes that a record was replayed; only after its act has committed."""
        self.append({"what": "done", "of": [record.record_id.hex()]})

    def locked(self) -> AbstractContextManager[None]:
        """Keeps every writer out meanwhile."""
        return self._lines.locked()

    def drop_done(self) -> int:
        """Takes out the stops that were replayed, with their marks; returns how many lines went."""
        with self._lines.locked():
            gone = {found for one in self._all() if one.what == "done" for found in _ids(one)}
            before = sum(1 for _ in self._lines.read())
            self._lines.replace(
                self._sealed(_content(record))
                for record in self._all()
                if record.what != "done" and record.record_id.hex() not in gone
            )
            return before - sum(1 for _ in self._lines.read())

    def rewrap(self) -> None:
        """Seals every record anew under the newest master key, so that older ones may be dropped."""
        with self._lines.locked():
            self._lines.replace(self._sealed(_content(record)) for record in self._all())

    def _all(self) -> Iterator[Record]:
        for number, line in enumerate(self._lines.read(), 1):
            content = self._opened(line, number)
            record_id, at = bytes.fromhex(content.pop("id")), from_text(content.pop("at"))
            yield Record(record_id, at, content["what"], content)

    def _sealed(self, content: Mapping[str, Any]) -> bytes:
        text = json.dumps(content, separators=(",", ":")).encode()
        return urlsafe_b64encode(self._sealers[0].seal(text, CONTEXT))

    def _opened(self, line: bytes, number: int) -> dict[str, Any]:
        for sealer in self._sealers:
            try:
                found: dict[str, Any] = json.loads(sealer.open(urlsafe_b64decode(line), CONTEXT))
            except (IntegrityError, Base64Error):
                continue
            return found
        raise IntegrityError(
            f"line {number} of the journal does not open: it was changed by hand, "
            "or CONSENTLEDGER_MASTER_KEY lacks the key that it was sealed under."
        )


def _ids(record: Record) -> list[str]:
    return list(record.content["of"])


def _content(record: Record) -> dict[str, Any]:
    return {**record.content, "id": record.record_id.hex(), "at": to_text(record.at)}


def _derived(master_key: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=CONTEXT).derive(master_key)
