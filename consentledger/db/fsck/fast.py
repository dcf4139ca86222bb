"""The usual entry, opened in a third of the time: nothing missing, no plain lines, disclosures in the leaf's order.

It answers only when leaf and disclosures are, byte for byte, what build_leaf makes of the opened values; whatever is
odd is left to the readers in ledger, which say what is wrong with it.
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS, Kind

_HEAD = b"consentledger/leaf/v1\nkind "
_URL = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"!", b"==", b"=")
_sha256 = hashlib.sha256


class Shape(NamedTuple):
    """What every leaf of a kind looks like: its fields' names in order, and which are in the technical opening."""

    kind: Kind
    names: tuple[str, ...]
    starts: tuple[bytes, ...]
    technical: tuple[bool, ...]


_SHAPES: Mapping[bytes, Shape] = {
    kind.id.encode(): Shape(
        kind,
        tuple(one.name for one in kind.fields),
        tuple(f"c {one.name} ".encode() for one in kind.fields),
        tuple(one.opening == "technical" for one in kind.fields),
    )
    for kind in KINDS.values()
    if not kind.plain
}


class Opened(NamedTuple):
    """A leaf with all its values."""

    kind: Kind
    label: bytes | None
    values: dict[str, Value]


def open_fast(leaf: bytes, core: bytes | None, technical: bytes | None) -> Opened | None:
    """Opens a leaf with its two openings' contents; None when it is not the usual case, or anything is odd."""
    end = leaf.find(b"\n", len(_HEAD))
    shape = _SHAPES.get(leaf[len(_HEAD) : end])
    if core is None or shape is None or not leaf.startswith(_HEAD):
        return None
    label, position = None, end + 1
    try:
        if leaf[position : position + 2] == b"s ":
            label = _label(leaf[position + 2 : position + 46])
            position += 46
        disclosures = _in_order(shape, core, technical)
        if disclosures is None or leaf[position:] != _lines(shape, disclosures):
            return None
        values = _values(shape, disclosures)
    except ValueError:
        return None
    return None if values is None else Opened(shape.kind, label, values)


def _label(line: bytes) -> bytes:
    label = a2b_base64(line[:43].translate(_STANDARD) + b"=", strict_mode=True)
    if b2a_base64(label).translate(_URL)[:43] + b"\n" != line:
        raise ValueError
    return label


def _in_order(shape: Shape, core: bytes, technical: bytes | None) -> list[bytes] | None:
    parts = core.split(b"\n")
    if technical is not None:
        own, other = iter(parts), iter(technical.split(b"\n"))
        found = [next(other if is_other else own, None) for is_other in shape.technical]
        if next(own, None) is not None or next(other, None) is not None or None in found:
            return None
        parts = found  # type: ignore[assignment]
    return parts if len(parts) == len(shape.names) else None


def _lines(shape: Shape, disclosures: list[bytes]) -> bytes:
    digests = b"".join([_sha256(one).digest() + b"\0" for one in disclosures])
    text = b2a_base64(digests, newline=False).translate(_URL)
    return b"".join(
        [
            start + text[at : at + 43] + b"\n"
            for start, at in zip(shape.starts, range(0, len(text), 44), strict=True)
        ]
    )


def _values(shape: Shape, disclosures: list[bytes]) -> dict[str, Value] | None:
    data = [
        a2b_base64(one.translate(_STANDARD) + _PADDING[len(one) & 3], strict_mode=True)
        for one in disclosures
    ]
    rows: list[Any] = [orjson.loads(one) for one in data]
    # What encodes to the same bytes again is canonical.
    if [orjson.dumps(row) for row in rows] != data:
        return None
    values: dict[str, Value] = {}
    for name, (salt, named, value) in zip(shape.names, rows, strict=True):
        if named != name or len(salt) != 43:
            return None
        values[name] = value
    return values
