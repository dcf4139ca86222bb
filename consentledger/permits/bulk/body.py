"""From a spooled body to pieces of recipients: NDJSON, split in blocks, each line read strictly on its own.

A line that can't be read is reported in its place; lines are numbered from 1, the message's own line included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from consentledger.kernel.errors import ConflictError, InputError

MESSAGE_BYTES = 64 * 1024
LINE_BYTES = 4 * 1024  # an address has at most 254 octets, six times as many in escapes
PIECE = 5_000
_REMEMBERED = 4_096
_TEXT = {str}
_NOTHING = (None, None, None)


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that was passed over, and why."""

    line: int
    code: str
    detail: str


Asked = tuple[str, str | None, str | None, str | None]
"""(address, country, person, capacity): one recipient, and what the asker says of them"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a body, `first` to `last`: whom they ask about, where each stood, and what was broken.

    `addresses` has None for somebody who is gone. `said` has what the asker said of each of them, where any line
    said something at all, else it is empty.
    """

    first: int
    last: int
    addresses: Sequence[str | None] = field(repr=False)
    places: Sequence[int] = field(repr=False)
    errors: tuple[LineError, ...] = ()
    said: tuple[Asked, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A committed batch of a run: the lines it answers, and what `permits.service.again` needs."""

    first: int
    last: int
    kept: Mapping[str, Any]


class BodyLines:
    """The lines of a body, in order; nothing longer than the limit of a line is ever held."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._lines: list[bytes] = []
        self._at = 0
        self._rest = b""
        self._skipping = self._ended = False
        self.number = 0  # of the last line that was taken

    def take(self, count: int, limit: int = LINE_BYTES) -> list[bytes]:
        """Returns up to `count` further lines without their ends; fewer only at the body's end.

        A line over the limit comes cut off behind it.
        """
        found: list[bytes] = []
        while len(found) < count:
            wanted = count - len(found)
            part = self._lines[self._at : self._at + wanted]
            if not part:
                if self._ended or not self._more(limit):
                    break
                continue
            self._at += len(part)
            found += part
        self.number += len(found)
        return found

    def ended(self) -> bool:
        """Says whether nothing but blank lines is left, and passes over those that come next."""
        while True:
            while self._at < len(self._lines):
                if self._lines[self._at].strip():
                    return False
                self._at += 1
                self.number += 1
            if self._ended or not self._more(LINE_BYTES):
                return True

    def _more(self, limit: int) -> bool:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            self._lines, self._at = [self._rest] if self._rest else [], 0
            self._rest = b""
            return bool(self._lines)
        *lines, rest = block.split(b"\n")
        if lines:
            if not self._skipping:
                lines[0] = self._rest + lines[0]
            else:  # the end of a line that was cut: what stands of it is in `rest`
                lines[0] = self._rest
            self._rest, self._skipping = rest, False
        elif not self._skipping:
            self._rest += rest
        if len(self._rest) > limit:
            self._rest, self._skipping = self._rest[: limit + 1], True
        self._lines, self._at = lines, 0
        return True


def message_line(lines: BodyLines, parse: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    """Reads the first line, which is the message; InputError when it is none."""
    first = lines.take(1, MESSAGE_BYTES)
    if not first or not first[0].strip():
        raise InputError(
            "the first line must be the message, a JSON object", field="body", reason="malformed"
        )
    if len(first[0]) > MESSAGE_BYTES:
        raise InputError("the message is too long", field="body", reason="too_large")
    return parse(first[0])


class Reader:
    """Reads lines into pieces. `read` makes one recipient of a JSON value, `strict` a JSON object of bytes."""

    def __init__(
        self,
        lines: BodyLines,
        read: Callable[[object, str], Asked],
        strict: Callable[[bytes], dict[str, Any]],
    ) -> None:
        self._lines, self._read, self._strict = lines, read, strict
        self._said: dict[tuple[Any, ...], tuple[str | None, str | None, str | None]] = {}

    def next(self, count: int = PIECE) -> Piece | None:
        """Reads `count` more lines, fewer at the end, None behind it. Blank lines ask nothing."""
        first = self._lines.number + 1
        raw = self._lines.take(count)
        if not raw:
            return None
        addresses = _plain(raw)
        if addresses is not None:
            last = first + len(raw) - 1
            return Piece(first, last, addresses, range(first, last + 1))
        return self._one_by_one(first, raw)

    @property
    def line(self) -> int:
        """The number of the last line that was read."""
        return self._lines.number

    def again(self, _session: object, kept: Kept, _issued: object) -> Piece:
        """Reads the lines of a batch that was committed before."""
        piece = self.next(kept.last - kept.first + 1)
        if piece is None or (piece.first, piece.last) != (kept.first, kept.last):
            raise ConflictError("this run was begun by another version: take another key")
        return piece

    def _one_by_one(self, first: int, raw: Sequence[bytes]) -> Piece:
        said: list[Asked] = []
        places: list[int] = []
        errors = []
        for number, line in enumerate(raw, first):
            if not line or line.isspace():
                continue
            try:
                said.append(self._quick(line) or self._recipient(line, number))
                places.append(number)
            except InputError as error:
                errors.append(LineError(number, error.reason, str(error)))
        facts = tuple(said) if any(one[1:] != _NOTHING for one in said) else ()
        return Piece(
            first, first + len(raw) - 1, [one[0] for one in said], places, tuple(errors), facts
        )

    def _quick(self, line: bytes) -> Asked | None:
        """Reads a plain line whose facts came before: what is said besides the address repeats all the time."""
        try:
            value = orjson.loads(line)
            if type(value) is not dict or b"\\" in line or len(line) > LINE_BYTES:
                return None
            # Where every value is plain text, a key has four quotes: anything else may hold a key twice.
            quotes, address = 4 * len(value), value.pop("address", None)
            known = self._said.get(tuple(value.items()))
        except (orjson.JSONDecodeError, TypeError):
            return None
        if known is None or type(address) is not str or line.count(b'"') != quotes:
            return None
        return (address, *known)

    def _recipient(self, line: bytes, number: int) -> Asked:
        where = f"line {number}"
        if len(line) > LINE_BYTES:
            raise InputError(
                f"{where}: longer than {LINE_BYTES} bytes", field=where, reason="too_long"
            )
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(
                f"{where}: not well-formed JSON", field=where, reason="malformed"
            ) from error
        if type(value) is not dict:
            return self._read(value, where)
        found = self._read(self._strict(line), where)
        del value["address"]
        if set(map(type, value.values())) <= _TEXT and len(self._said) < _REMEMBERED:
            self._said[tuple(value.items())] = found[1:]
        return found


def _plain(raw: Sequence[bytes]) -> list[str] | None:
    """Returns the lines as text if each of them is a JSON string: the quick way for nearly all."""
    try:
        values = [orjson.loads(line) for line in raw]
    except orjson.JSONDecodeError:
        return None
    if set(map(type, values)) != {str} or max(map(len, raw)) > LINE_BYTES:
        return None
    return values
