"""Tiles (c2sp.org/tlog-tiles): nodes in rows of 256, their paths, and a reader of nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from consentledger.ledger.merkle import Node, nodes_of

WIDTH = 256
ReadTile = Callable[[int, int, int], Sequence[bytes]]
"""`read(level, n, count)`: the first `count` hashes of tile n; level 0 holds leaf hashes."""


def tile_index(n: int) -> str:
    """Returns n in groups of three digits, all but the last with an x: 1234067 is x001/x234/067."""
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.append(f"x{n % 1000:03d}")
    return "/".join(reversed(groups))


def tile_path(level: int | str, n: int, width: int = WIDTH) -> str:
    """Returns a tile's path, level `entries` for the entry bundles; a partial tile ends in .p/W."""
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{tile_index(n)}{partial}"


def tiles_of(size: int) -> list[tuple[int, int, int]]:
    """Returns every tile of a tree as (level, n, width), full ones first within a level."""
    tiles: list[tuple[int, int, int]] = []
    level = 0
    while size:
        tiles.extend((level, n, WIDTH) for n in range(size // WIDTH))
        if size % WIDTH:
            tiles.append((level, size // WIDTH, size % WIDTH))
        size //= WIDTH
        level += 1
    return tiles


def node_from_tiles(size: int, read: ReadTile) -> Node:
    """Returns a `node` function over a tree of `size` leaves that reads each tile at most once."""
    cache: dict[tuple[int, int], Node] = {}

    def node(height: int, n: int) -> bytes:
        level, within = divmod(height, 8)
        per_tile = 8 - within  # a tile holds 2 ** per_tile nodes of this height
        tile = n >> per_tile
        found = cache.get((level, tile))
        if found is None:
            width = min(WIDTH, (size >> 8 * level) - tile * WIDTH)
            found = cache[level, tile] = nodes_of(read(level, tile, width))
        return found(within, n - (tile << per_tile))

    return node
