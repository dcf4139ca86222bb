"""Writes a bundle's entries: one pair of files each while they are few, tiles when they are many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.log.tree import TreeReader
from consentledger.evidence.queries import OpenedLeaf, leaf_range
from consentledger.ledger.bundle import SMALL, BundleWriter
from consentledger.ledger.tiles import WIDTH, tiles_of


def write_entries(
    writer: BundleWriter,
    session: Session,
    organisation_id: UUID,
    tree: TreeReader,
    note: str,
    leaves: Iterable[OpenedLeaf],
    indexes: Sequence[int],
    size: int,
    tail: range,
) -> None:
    """Writes proofs or tiles, disclosures and blobs of the leaves, which come in the log's order.

    Of the entries of the `tail` that are not among them, only the leaf.
    """
    if len(indexes) + len(tail) <= SMALL:
        for leaf in leaves:
            path = tree.inclusion_proof(leaf.index, size)
            writer.add_entry(leaf.index, leaf.leaf, path, note, leaf.disclosures)
            _write_blobs(writer, leaf)
        for index, data in enumerate(
            leaf_range(session, organisation_id, tail.start, tail.stop), tail.start
        ):
            if f"entries/{index}.tlog-proof" not in writer:
                writer.add_tail(index, data, tree.inclusion_proof(index, size), note)
        return
    company = {index // WIDTH for index in tail}
    shown = {index // WIDTH for index in indexes}
    _write_tiles(writer, tree, size, shown | company)
    for n, group in groupby(leaves, key=lambda leaf: leaf.index // WIDTH):
        opened = {}
        for leaf in group:
            opened[leaf.index] = leaf.disclosures
            _write_blobs(writer, leaf)
        whole = leaf_range(session, organisation_id, n * WIDTH, min(size, (n + 1) * WIDTH))
        writer.add_entry_bundle(n, whole, opened)
    for n in sorted(company - shown):
        whole = leaf_range(session, organisation_id, n * WIDTH, min(size, (n + 1) * WIDTH))
        writer.add_entry_bundle(n, whole, {})


def _write_tiles(writer: BundleWriter, tree: TreeReader, size: int, shown: set[int]) -> None:
    """All tiles but those level-0 ones of which no entry is shown: the tree is recomputed without."""
    for level, n, width in tiles_of(size):
        if level or n in shown or width < WIDTH:
            first = n * WIDTH
            writer.add_tile(level, n, [tree.node(8 * level, first + i) for i in range(width)])


def _write_blobs(writer: BundleWriter, leaf: OpenedLeaf) -> None:
    for name, blob in leaf.blobs.items():
        if f"blobs/{name}" not in writer:
            writer.add(f"blobs/{name}", blob)
