"""The tree over a register's sorted hashes: made in one pass, and read again a block at a time.

A block is 256 hashes side by side. Of each an import keeps the first hash and the root over the block (64 bytes), so
that a place is found and proved by reading two or three blocks, however long the register is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from consentledger.kernel.errors import IntegrityError
from consentledger.ledger import merkle
from consentledger.ledger.absence import Place

_HEIGHT = 8
WIDTH = 1 << _HEIGHT
_HASH = 32

Around = tuple[Place | None, Place | None]
"""The place of what was looked for and None, or its neighbours (left, right), None at an end."""
Fetch = Callable[[bytes, bytes | None], list[bytes]]
"""`fetch(low, high)`: the sorted hashes h with low <= h < high; without `high` all from `low` on."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import keeps of its tree: `blocks` has first hash and root of each, one behind the other."""

    count: int
    root: bytes
    blocks: bytes = field(repr=False)


def summarise(hashes: Iterable[bytes]) -> Summary:
    """Returns count, RFC 9162 root and blocks of sorted hashes, in one pass and in flat memory."""
    frontier, blocks = merkle.Frontier.empty(), bytearray()
    for block in _blocks(hashes):
        leaves = [merkle.leaf_hash(one) for one in block]
        frontier, _ = frontier.append(leaves)
        blocks += block[0] + merkle.root_of(leaves)
    return Summary(frontier.size, frontier.root(), bytes(blocks))


class Tree:
    """A register's tree from its summary, and from the blocks that a proof needs."""

    def __init__(self, summary: Summary, fetch: Fetch) -> None:
        parts = [summary.blocks[i : i + _HASH] for i in range(0, len(summary.blocks), _HASH)]
        self.size = summary.count
        self._firsts, roots = parts[0::2], parts[1::2]
        self._above = merkle.nodes_of(roots)
        self._fetch = fetch
        self._read: dict[int, tuple[list[bytes], list[bytes]]] = {}

    def around(self, target: bytes) -> Around:
        """Returns where a hash stands, or between which two it would; IntegrityError for rows changed by hand."""
        block = bisect_right(self._firsts, target) - 1
        if block < 0:
            return None, self._place(0, self._firsts[0]) if self._firsts else None
        hashes, _ = self._block(block)
        inside = bisect_left(hashes, target)
        position = block * WIDTH + inside
        if hashes[inside : inside + 1] == [target]:
            return self._place(position, target), None
        left = self._place(position - 1, hashes[inside - 1])
        if inside < len(hashes):
            return left, self._place(position, hashes[inside])
        if block + 1 < len(self._firsts):
            return left, self._place(position, self._firsts[block + 1])
        return left, None

    def _place(self, position: int, one: bytes) -> Place:
        return Place(position, one, tuple(merkle.inclusion_proof(position, self.size, self._node)))

    def _node(self, height: int, n: int) -> bytes:
        if height >= _HEIGHT:
            return self._above(height - _HEIGHT, n)
        first = n << height
        _, leaves = self._block(first >> _HEIGHT)
        start = first & (WIDTH - 1)
        return merkle.root_of(leaves[start : start + (1 << height)])

    def _block(self, number: int) -> tuple[list[bytes], list[bytes]]:
        """The hashes of a block, and its leaf hashes."""
        if number not in self._read:
            high = self._firsts[number + 1] if number + 1 < len(self._firsts) else None
            hashes = self._fetch(self._firsts[number], high)
            if len(hashes) != min(WIDTH, self.size - number * WIDTH):
                raise IntegrityError("the rows of this register are not those that were imported")
            self._read[number] = hashes, [merkle.leaf_hash(one) for one in hashes]
        return self._read[number]


def _blocks(hashes: Iterable[bytes]) -> Iterator[list[bytes]]:
    source = iter(hashes)
    while block := list(islice(source, WIDTH)):
        yield block
