"""Reading an organisation's tree: nodes from leaf hashes and completed 256-subtrees, proofs from those.

A tile is a row of up to 256 hashes of one level. Full tiles never change, so a process keeps those it has read.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.models import LogLeaf, LogNode
from consentledger.kernel.errors import IntegrityError
from consentledger.ledger import merkle

TILE = 256
CACHED_TILES = (
    2_048  # 8 KiB of hashes each, with the levels computed within them 16 KiB: 32 MiB at most
)


class TileCache:
    """Full tiles by (organisation, level, number), the least recently used dropped first; shared by threads."""

    def __init__(self, capacity: int = CACHED_TILES) -> None:
        self._capacity = capacity
        self._tiles: OrderedDict[tuple[UUID, int, int], list[list[bytes]]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[UUID, int, int]) -> list[list[bytes]] | None:
        """Returns a tile's rows by height, or None."""
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def put(self, key: tuple[UUID, int, int], tile: list[list[bytes]]) -> None:
        """Keeps a full tile."""
        with self._lock:
            self._tiles[key] = tile
            if len(self._tiles) > self._capacity:
                self._tiles.popitem(last=False)


class TreeReader:
    """One organisation's tree, read through one session; `cache` may be shared by readers."""

    def __init__(
        self, session: Session, organisation_id: UUID, cache: TileCache | None = None
    ) -> None:
        self._session = session
        self._organisation_id = organisation_id
        self._cache = cache or TileCache()
        self._partial: dict[tuple[int, int], list[list[bytes]]] = {}

    def node(self, height: int, n: int) -> bytes:
        """Returns the hash of the perfect subtree number `n` of `height`; IntegrityError when rows are missing."""
        level, within = divmod(height, 8)
        number, offset = divmod(n, TILE >> within)
        rows = self._tile(level, number)
        try:
            return rows[within][offset]
        except IndexError as error:
            raise IntegrityError(
                f"the log's tree has a gap at level {level}, tile {number}"
            ) from error

    def leaf_hash(self, index: int) -> bytes:
        """Returns the leaf hash of one entry."""
        return self.node(0, index)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Returns the RFC 9162 §2.1.3 path of an entry in the tree of `size`."""
        return merkle.inclusion_proof(index, size, self.node)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Returns the RFC 9162 §2.1.4 proof that the tree of `new` extends the tree of `old`."""
        return merkle.consistency_proof(old, new, self.node)

    def root(self, size: int) -> bytes:
        """Returns the root of the first `size` entries, from stored hashes."""
        hashes, start = [], 0
        while start < size:
            height = (size - start).bit_length() - 1
            hashes.append(self.node(height, start >> height))
            start += 1 << height
        return merkle.Frontier(size, tuple(hashes)).root()

    def _tile(self, level: int, number: int) -> list[list[bytes]]:
        rows = self._partial.get((level, number)) or self._cache.get(
            (self._organisation_id, level, number)
        )
        if rows is None:
            hashes = self._read(level, number)
            rows = _rows(hashes)
            if len(hashes) == TILE:
                self._cache.put((self._organisation_id, level, number), rows)
            else:
                self._partial[level, number] = rows
        return rows

    def _read(self, level: int, number: int) -> list[bytes]:
        low, high = number * TILE, (number + 1) * TILE
        if level == 0:
            query = (
                select(LogLeaf.entry_index, LogLeaf.leaf_hash)
                .where(LogLeaf.organisation_id == self._organisation_id)
                .where(LogLeaf.entry_index >= low, LogLeaf.entry_index < high)
                .order_by(LogLeaf.entry_index)
            )
        else:
            query = (
                select(LogNode.n, LogNode.hash)
                .where(LogNode.organisation_id == self._organisation_id, LogNode.level == level)
                .where(LogNode.n >= low, LogNode.n < high)
                .order_by(LogNode.n)
            )
        found = self._session.execute(query).all()
        if [n for n, _ in found] != list(range(low, low + len(found))):
            raise IntegrityError(f"the log's tree has a gap at level {level}, tile {number}")
        return [digest for _, digest in found]


def _rows(hashes: list[bytes]) -> list[list[bytes]]:
    rows = [hashes]
    for _ in range(7):
        pairs = iter(rows[-1])
        rows.append([merkle.node_hash(a, b) for a, b in zip(pairs, pairs, strict=False)])
    return rows
