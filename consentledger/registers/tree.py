"""The tree over a register's sorted hashes, made in one pass over them and in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from consentledger.ledger import merkle
from consentledger.ledger.absence import Place

_BLOCK = 8  # a block is a subtree of 2 ** 8 leaves
_AT_ONCE = 4_096

Around = tuple[Place | None, Place | None]
Places = dict[bytes, Around]
"""By target: (the place of the target itself, None), or its neighbours (left, right), None at an end."""


def count_and_root(hashes: Iterable[bytes]) -> tuple[int, bytes]:
    """Returns how many sorted hashes there are and their RFC 9162 root."""
    frontier = merkle.Frontier.empty()
    source = iter(hashes)
    while part := [merkle.leaf_hash(one) for one in islice(source, _AT_ONCE)]:
        frontier, _ = frontier.append(part)
    return frontier.size, frontier.root()


class _Pass:
    """One pass over the hashes: the neighbours of each target, the blocks' roots, and the leaves that paths need."""

    def __init__(self, hashes: Iterable[bytes], targets: Sequence[bytes]) -> None:
        self.size = 0
        self.near: dict[bytes, list[tuple[int, bytes]]] = {}
        self._roots: list[bytes] = []
        self._leaves: dict[int, list[bytes]] = {}
        self._wanted = sorted(set(targets), reverse=True)
        self._last: bytes | None = None
        needed: set[int] = set()
        for number, block in enumerate(_blocks(hashes)):
            for one in block:
                self._meet(one, needed)
            leaves = [merkle.leaf_hash(one) for one in block]
            self._roots.append(merkle.root_of(leaves))
            self._leaves[number] = leaves
            if number - 1 not in needed:
                self._leaves.pop(number - 1, None)
        for target in self._wanted:
            self.near[target] = [] if self._last is None else [(self.size - 1, self._last)]
        self._above = merkle.nodes_of(self._roots) if self._roots else None

    def _meet(self, one: bytes, needed: set[int]) -> None:
        while self._wanted and self._wanted[-1] <= one:
            target, here = self._wanted.pop(), [(self.size, one)]
            if target != one and self._last is not None:
                here.insert(0, (self.size - 1, self._last))
            needed.update(position >> _BLOCK for position, _ in here)
            self.near[target] = here
        self._last = one
        self.size += 1

    def node(self, height: int, n: int) -> bytes:
        """The root of the full subtree of leaves [n << height, (n + 1) << height)."""
        if height >= _BLOCK:
            assert self._above is not None  # noqa: S101 - a node is asked for in a tree with leaves only
            return self._above(height - _BLOCK, n)
        first = n << height
        block, start = first >> _BLOCK, first & ((1 << _BLOCK) - 1)
        return merkle.root_of(self._leaves[block][start : start + (1 << height)])

    def place(self, position: int, one: bytes) -> Place:
        """A hash with its place and its path."""
        return Place(position, one, tuple(merkle.inclusion_proof(position, self.size, self.node)))


def places_in(hashes: Iterable[bytes], targets: Sequence[bytes]) -> Places:
    """Returns where each target stands among the sorted hashes, or between which two it would."""
    made = _Pass(hashes, targets)
    found: Places = {}
    for target, near in made.near.items():
        places = [made.place(position, one) for position, one in near]
        if len(places) == 2:
            found[target] = (places[0], places[1])
        elif not places:
            found[target] = (None, None)
        elif places[0].label <= target:
            found[target] = (places[0], None)
        else:
            found[target] = (None, places[0])
    return found


def _blocks(hashes: Iterable[bytes]) -> Iterator[list[bytes]]:
    source = iter(hashes)
    while block := list(islice(source, 1 << _BLOCK)):
        yield block
