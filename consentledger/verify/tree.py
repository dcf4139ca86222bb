"""Step 2 for large bundles: the tree is recomputed from tiles (c2sp.org/tlog-tiles) and entry bundles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.bundle import Bundle, openings_path
from consentledger.ledger.checkpoint import Checkpoint
from consentledger.ledger.tiles import WIDTH, node_from_tiles, tile_path

RULE = "c2sp.tlog-tiles"
_OPENING = re.compile(
    rb'\{"disclosures":\[((?:"[A-Za-z0-9_-]+"(?:,"[A-Za-z0-9_-]+")*)?)\],"index":(0|[1-9][0-9]{0,17})\}\Z'
)
Shown = tuple[int, bytes, Sequence[str] | None, str]
"""(index, leaf, disclosures, file); disclosures are None where the leaf is only its neighbours' company."""


def read_tiles(bundle: Bundle, checkpoint: Checkpoint) -> Iterator[Shown]:
    """Checks every tile up to the checkpoint's root, then yields the leaves of all entry bundles."""
    tiles = _Tiles(bundle, checkpoint.size)
    tiles.check_root(checkpoint.root)
    for n in tiles.entry_bundles:
        yield from _opened(bundle, n, tiles.leaves(n))


class _Tiles:
    def __init__(self, bundle: Bundle, size: int) -> None:
        self._bundle = bundle
        self._size = size
        self._tiles, self.entry_bundles = _expected_paths(bundle, size)
        self._cache: dict[tuple[int, int], list[bytes]] = {}

    def check_root(self, root: bytes) -> None:
        """Every full tile's root stands in the tile above it, and the last tiles give the root."""
        for level, n in self._tiles:
            hashes = self._hashes(level, n)
            if len(hashes) < WIDTH:
                continue
            above = self._hashes(level + 1, n // WIDTH)[n % WIDTH]
            if merkle.root_of(hashes) != above:
                path = tile_path(level, n)
                raise VerificationError("the tile above tells another root", rule=RULE, file=path)
        if merkle.root_from(self._size, node_from_tiles(self._size, self._read)) != root:
            raise VerificationError(
                "the tiles do not lead to the checkpoint's root", rule=RULE, file="checkpoint"
            )

    def leaves(self, n: int) -> list[bytes]:
        """The leaves of entry bundle n, checked against the level-0 tile."""
        path = tile_path("entries", n, self._width(0, n))
        leaves = _split(self._bundle.read(path), path)
        if [merkle.leaf_hash(leaf) for leaf in leaves] != self._hashes(0, n):
            raise VerificationError(
                "a leaf is not the one in the tree: its hash is not the tile's",
                rule=RULE,
                file=path,
            )
        return leaves

    def _width(self, level: int, n: int) -> int:
        return min(WIDTH, (self._size >> 8 * level) - n * WIDTH)

    def _read(self, level: int, n: int, _count: int) -> Sequence[bytes]:
        return self._hashes(level, n)

    def _hashes(self, level: int, n: int) -> list[bytes]:
        found = self._cache.get((level, n))
        if found is None:
            width = self._width(level, n)
            path = tile_path(level, n, width)
            data = self._bundle.read(path)
            if len(data) != 32 * width:
                raise VerificationError("the tile has the wrong length", rule=RULE, file=path)
            found = [data[i : i + 32] for i in range(0, len(data), 32)]
            self._cache[level, n] = found
        return found


def _expected_paths(bundle: Bundle, size: int) -> tuple[list[tuple[int, int]], list[int]]:
    """The bundle's tiles and entry bundles, each at the one path that a tree of `size` gives it."""
    tiles: list[tuple[int, int]] = []
    bundles: list[int] = []
    for path in bundle.paths("tile"):
        _, level, rest = path.split("/", 2)
        n = int(rest.partition(".p/")[0].replace("x", "").replace("/", ""))
        height = 0 if level == "entries" else 8 * int(level)
        width = min(WIDTH, (size >> height) - n * WIDTH)
        if width <= 0 or tile_path(level, n, width) != path:
            raise VerificationError("a tree of this size has no such tile", rule=RULE, file=path)
        if level == "entries":
            bundles.append(n)
        else:
            tiles.append((int(level), n))
    return sorted(tiles), sorted(bundles)


def _split(data: bytes, path: str) -> list[bytes]:
    leaves = []
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 2], "big")
        leaf = data[position + 2 : position + 2 + length]
        if len(leaf) != length or position + 2 > len(data):
            raise VerificationError("the entry bundle is cut short", rule=RULE, file=path)
        leaves.append(leaf)
        position += 2 + length
    return leaves


def _opened(bundle: Bundle, n: int, leaves: Sequence[bytes]) -> Iterator[Shown]:
    path = openings_path(n)
    last = n * WIDTH - 1
    *lines, rest = bundle.read(path).split(b"\n")
    if rest:
        raise VerificationError("the last line does not end", rule=RULE, file=path)
    for line in lines:
        # Canonical JSON by its very form: base64url needs no escapes.
        match = _OPENING.match(line)
        if match is None:
            raise VerificationError("a line is not an opening", rule=RULE, file=path)
        index = int(match[2])
        if not last < index < n * WIDTH + len(leaves):
            raise VerificationError("an opening is out of place", rule=RULE, file=path)
        disclosures = match[1].decode("ascii")[1:-1].split('","') if match[1] else []
        yield from ((i, leaves[i - n * WIDTH], None, path) for i in range(last + 1, index))
        yield index, leaves[index - n * WIDTH], disclosures, path
        last = index
    yield from (
        (i, leaves[i - n * WIDTH], None, path) for i in range(last + 1, n * WIDTH + len(leaves))
    )
