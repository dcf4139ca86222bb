"""Label trees: what a `log.index` says of a range of entries, and proofs that a label is in it or is not.

The leaves of such a tree are the range's labels (32 bytes each), sorted bytewise, none twice; its root is the RFC
9162 root over them. A label is absent if two leaves side by side stand around it: one at either end, none if the
range has no labels. Both are plain inclusion proofs (RFC 9162 section 2.1.3); sizes come from the entry alone.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle, strict
from consentledger.ledger.disclosure import LAST_OF_32

RULE = "absence"
_LEAF = re.compile(
    rb"consentledger/leaf/v1\nkind [^\n]+\n"
    rb"(?:s ([A-Za-z0-9_-]{42}[%b])\n|(?!s ))" % LAST_OF_32.encode("ascii")
)
_STANDARD = bytes.maketrans(b"-_", b"+/")
START = 192
"""So many bytes of a leaf hold its header, kind and label."""


@dataclass(frozen=True, slots=True)
class Place:
    """One label of a range with its position among the sorted ones and its inclusion path."""

    position: int
    label: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """What one `log.index` says: entries [first, size) carry `count` labels, with this root."""

    first: int
    size: int
    count: int
    root: bytes

    def plain(self) -> dict[str, str]:
        """Returns the entry's plain lines."""
        return {
            "count": str(self.count),
            "first": str(self.first),
            "root": self.root.hex(),
            "size": str(self.size),
        }


def read_index(plain: Mapping[str, str], entry_index: int) -> Index:
    """Reads the plain lines of the `log.index` at `entry_index` strictly: it covers entries before itself."""
    first, size, count = (
        strict.decimal(plain[name], rule=RULE, what=f"{name} of a log.index")
        for name in ("first", "size", "count")
    )
    root = strict.hex32(plain["root"], rule=RULE, what="root of a log.index")
    if not first < size <= entry_index:
        raise VerificationError("a log.index does not cover entries before itself", rule=RULE)
    if count > size - first:
        raise VerificationError("a log.index counts more labels than entries", rule=RULE)
    if (count == 0) != (root == merkle.EMPTY_ROOT):
        raise VerificationError("a log.index has the root of another count of labels", rule=RULE)
    return Index(first, size, count, root)


def labels_of(leaves: Iterable[bytes]) -> list[bytes]:
    """Reads the labels of those leaves that have one; the first START bytes of each are enough.

    Looks at bytes only, since it reads every leaf of a log; parse_leaf reads the rest.
    """
    texts = []
    for leaf in leaves:
        match = _LEAF.match(leaf)
        if match is None:
            raise VerificationError("a leaf's kind or label is malformed", rule=RULE)
        if match[1] is not None:
            texts.append(match[1])
    # One decoding for all: 43 characters and a filler are 32 bytes and a zero byte.
    data = binascii.a2b_base64(b"A".join([*texts, b""]).translate(_STANDARD))
    return [data[i : i + 32] for i in range(0, len(data), 33)]


class Labels:
    """The sorted labels of one range, in memory; 32 bytes and their hashes each."""

    def __init__(self, labels: Iterable[bytes]) -> None:
        self._labels = sorted(labels)
        for one, other in zip(self._labels, self._labels[1:], strict=False):
            if one == other:
                raise VerificationError("two entries carry the same label", rule=RULE)
        hashes = [merkle.leaf_hash(one) for one in self._labels]
        self._node = merkle.nodes_of(hashes)
        self.root = merkle.root_from(len(hashes), self._node)

    @classmethod
    def from_bytes(cls, data: bytes) -> Labels:
        """Reads what `to_bytes` wrote."""
        return cls(data[i : i + 32] for i in range(0, len(data), 32))

    def to_bytes(self) -> bytes:
        """Returns the labels one behind the other."""
        return b"".join(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def index(self, first: int, size: int) -> Index:
        """Returns what a `log.index` of entries [first, size) with these labels says."""
        return Index(first, size, len(self), self.root)

    def around(self, label: bytes) -> tuple[Place | None, Place | None]:
        """Returns the proof that a label is absent: its neighbours; ValueError when it is there."""
        position = bisect_left(self._labels, label)
        if self._labels[position : position + 1] == [label]:
            raise ValueError("the label is not absent")
        left = self._place(position - 1) if position else None
        right = self._place(position) if position < len(self) else None
        return left, right

    def place(self, label: bytes) -> Place:
        """Returns the proof that a label is there; ValueError when it is absent."""
        position = bisect_left(self._labels, label)
        if self._labels[position : position + 1] != [label]:
            raise ValueError("the label is absent")
        return self._place(position)

    def _place(self, position: int) -> Place:
        path = merkle.inclusion_proof(position, len(self), self._node)
        return Place(position, self._labels[position], tuple(path))


def verify_absent(index: Index, label: bytes, left: Place | None, right: Place | None) -> None:
    """Checks that no entry of a range carries a label; VerificationError when that is not shown."""
    if left is None and right is None:
        if index.count:
            raise VerificationError("no neighbours of the label are shown", rule=RULE)
        return
    if left is not None and left.label >= label:
        raise VerificationError("the left neighbour does not stand before the label", rule=RULE)
    if right is not None and right.label <= label:
        raise VerificationError("the right neighbour does not stand behind the label", rule=RULE)
    # At an edge there is nothing beyond: position -1 on the left, position `count` on the right.
    before = left.position if left is not None else -1
    behind = right.position if right is not None else index.count
    if behind != before + 1:
        raise VerificationError("the neighbours do not stand side by side", rule=RULE)
    for place in (left, right):
        if place is not None:
            verify_place(index, place)


def verify_place(index: Index, place: Place) -> None:
    """Checks that a label stands at its position among those of a range."""
    try:
        merkle.verify_inclusion(
            merkle.leaf_hash(place.label), place.position, index.count, place.path, index.root
        )
    except VerificationError as error:
        raise VerificationError(f"a label is not in the index: {error}", rule=RULE) from error


def check_cover(indexes: Sequence[Index], end: int = 0) -> int:
    """Checks that ranges follow one another from entry `end` without gap; returns where the last one ends."""
    for index in indexes:
        if index.first != end:
            what = "leaves a gap behind" if index.first > end else "goes back before"
            raise VerificationError(
                f"the log.index of entries {index.first} to {index.size - 1} {what} entry {end}",
                rule=RULE,
            )
        end = index.size
    return end
