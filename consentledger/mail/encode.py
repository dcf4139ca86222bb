"""Quoted-printable that never cuts a link's token (RFC 2045 section 6.7).

The mail that is committed in the log and kept in the outbox carries a link whose MAC is starred
out; at delivery the stars are overwritten in the finished bytes. That works only if the token
stands in one piece, so the library's encoder, which may put a soft break inside it, is not used.
Quoted-printable rather than 8bit, so that no server on the way has a reason to re-encode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LINE = 76  # characters, the soft break's `=` included
_KEPT = 64  # characters: so a break before a kept string always leaves something in its row
_LITERAL = frozenset(range(33, 127)) - {ord("=")}
# Beyond the plain octets: a blank at the end, mbox's "From ", and every dot that follows another or
# begins a line, so that no row is ever a lone dot, which a careless relay takes for the end.
_ENCODED = re.compile(rb"[^ -<>-~\t]|[ \t]\Z|\AF(?=rom )|(?<![^.])\.")


def quoted_printable(text: str, keep: Sequence[str] = ()) -> str:
    """Returns `text` as quoted-printable of its UTF-8, lines ended by LF and at most 76 characters.

    No string of `keep` (printable ASCII without `=`, 1 to 64 characters, dots only between other
    characters) is cut or changed.
    """
    for piece in keep:
        if not 1 <= len(piece) <= _KEPT or not set(piece.encode()) <= _LITERAL:
            raise ValueError(
                f"kept strings are 1 to {_KEPT} printable ASCII characters without '='"
            )
        if ".." in piece or piece.startswith("."):
            raise ValueError("kept strings have dots only between other characters")
    kept = re.compile("|".join(map(re.escape, keep))) if keep else None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_line(line, kept) for line in lines)


def _line(line: str, kept: re.Pattern[str] | None) -> str:
    encoded = _ENCODED.sub(lambda found: b"=%02X" % found[0][0], line.encode()).decode("ascii")
    if len(encoded) <= _LINE:
        return encoded
    spans = [found.span() for found in kept.finditer(encoded)] if kept else []
    rows, start = [], 0
    while len(encoded) - start > _LINE:
        end = _break(encoded, start + _LINE - 1, spans)
        rows.append(encoded[start:end] + "=")
        start = end
    return "\n".join([*rows, encoded[start:]])


def _break(encoded: str, end: int, spans: Sequence[tuple[int, int]]) -> int:
    """Returns where a row may end, at most at `end`: not inside =XX or a kept string, not before a dot."""
    while True:
        if "=" in encoded[end - 2 : end]:
            end = encoded.index("=", end - 2)
        elif encoded[end] == ".":
            end -= 1
        elif inside := [first for first, last in spans if first < end < last]:
            end = inside[0]
        else:
            return end
