"""Quoted-printable that never cuts a link's token (RFC 2045 section 6.7).

The mail that is committed in the log and kept in the outbox carries a link whose MAC is starred
out; at delivery the stars are overwritten in the finished bytes. That works only if the token
stands in one piece, so the library's encoder, which may put a soft break inside it, is not used.
Quoted-printable rather than 8bit, so that no server on the way has a reason to re-encode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LINE = 76  # characters, the soft break's `=` included
_LITERAL = frozenset(range(33, 127)) - {ord("=")}


def quoted_printable(text: str, keep: Sequence[str] = ()) -> str:
    """Returns `text` as quoted-printable of its UTF-8, lines ended by LF and at most 76 characters.

    No string of `keep` (printable ASCII without `=`, at most 75 characters) is cut or changed.
    """
    for piece in keep:
        if not piece or len(piece) >= _LINE or not set(piece.encode()) <= _LITERAL:
            raise ValueError("kept strings are 1 to 75 printable ASCII characters without '='")
    cutter = re.compile("|".join(re.escape(piece) for piece in keep)) if keep else None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_line(line, cutter) for line in lines)


def _line(line: str, cutter: re.Pattern[str] | None) -> str:
    units = list(_units(line, cutter))
    if units and units[-1] in (" ", "\t"):
        units[-1] = f"={ord(units[-1]):02X}"
    if line.startswith("From ") and units[0] == "F":
        units[0] = "=46"  # mbox-minded software would write ">From "
    if units and units[0] == ".":
        units[0] = "=2E"  # a relay that forgets dot-stuffing can't cut the message here
    return _fold(units)


def _units(line: str, cutter: re.Pattern[str] | None) -> Iterator[str]:
    start = 0
    for match in cutter.finditer(line) if cutter else ():
        yield from _octets(line[start : match.start()])
        yield match.group()
        start = match.end()
    yield from _octets(line[start:])


def _octets(text: str) -> Iterator[str]:
    for octet in text.encode():
        yield chr(octet) if octet in _LITERAL or octet in (0x20, 0x09) else f"={octet:02X}"


def _fold(units: list[str]) -> str:
    rows: list[str] = []
    row: list[str] = []
    width = 0
    for number, unit in enumerate(units):
        room = _LINE if number == len(units) - 1 else _LINE - 1  # the last row needs no soft break
        if width + len(unit) > room:
            rows.append("".join(row) + "=")
            row, width = ["=2E" if unit == "." else unit], 0
        else:
            row.append(unit)
        width += len(row[-1])
    return "\n".join([*rows, "".join(row)])
