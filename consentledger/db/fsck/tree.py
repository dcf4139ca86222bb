"""Walks an organisation's raw leaves and re-derives every hash above them.

Nothing stored is believed: leaf hashes come from leaves, subtrees and roots from leaf hashes. Reads in
index order, in blocks, in flat memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck.model import Position, Step, Stop
from consentledger.db.fsck.rows import RawRows
from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogNode
from consentledger.ledger.merkle import Completed, leaf_hash

_sha256 = hashlib.sha256


class TreeCheck:
    """Walks one log's leaves once, re-deriving hashes, subtrees and the roots at every stop."""

    def __init__(self, session: Session, organisation_id: UUID, position: Position) -> None:
        self._session = session
        self._organisation_id = organisation_id
        self._position = position
        self._report = position.report

    def run(self, stops: Iterator[Stop], step: Step) -> None:
        """Walks to the last leaf; `stops` come by ascending size, those beyond the leaves are found wrong."""
        position = self._position
        stop = self._behind(stops)
        for hashes in self._hashes():
            while stop and stop.size <= position.frontier.size + len(hashes):
                within = stop.size - position.frontier.size
                self._extend(hashes[:within])
                hashes = hashes[within:]
                stop.check(position.frontier.root())
                stop = next(stops, None)
            self._extend(hashes)
            step(position, position.after + 1, self._report.size)
        while stop:
            self._report.add(
                f"tree size {stop.size}",
                f"was signed, but only {position.frontier.size} leaves are there",
            )
            stop = next(stops, None)

    def _behind(self, stops: Iterator[Stop]) -> Stop | None:
        """A run that goes on has walked past these: the nodes that it compared give the root again."""
        reader = TreeReader(self._session, self._organisation_id)
        stop = next(stops, None)
        while stop and stop.size < self._position.frontier.size:
            stop.check(reader.root(stop.size))
            stop = next(stops, None)
        return stop

    def _hashes(self) -> Iterator[list[bytes]]:
        position = self._position
        for block in RawRows(self._session, self._organisation_id).leaves(position.after):
            first, last = position.after + 1, position.after + len(block)
            hashes = _derived(block)
            # The usual case in three comparisons; what is odd is looked at row by row.
            if hashes is None or block[0][0] != first or block[-1][0] != last:
                hashes = self._one_by_one(block)
            elif hashes != [row[2] for row in block]:
                self._one_by_one(block)
            position.after = max(last, block[-1][0]) if type(block[-1][0]) is int else last
            yield hashes

    def _one_by_one(self, block: Sequence[Any]) -> list[bytes]:
        hashes, expected = [], self._position.after + 1
        for index, leaf, stored in block:
            if index != expected:
                self._report.add(f"log_leaf {expected}", f"missing: the next row is {index}")
            if not isinstance(leaf, bytes):  # SQLite keeps whatever type was put in by hand
                self._report.add(f"log_leaf {index}", "its leaf is not bytes")
                leaf = str(leaf).encode()
            derived = leaf_hash(leaf)
            if derived != stored:
                self._report.add(f"log_leaf {index}", "its leaf_hash is not its leaf's hash")
            hashes.append(derived)
            expected = (index if type(index) is int else expected) + 1
        return hashes

    def _extend(self, hashes: Sequence[bytes]) -> None:
        if not hashes:
            return
        self._position.frontier, nodes = self._position.frontier.append(hashes)
        if nodes:
            self._check_nodes(nodes)

    def _check_nodes(self, nodes: Sequence[Completed]) -> None:
        for level in sorted({level for level, _, _ in nodes}):
            derived = {n: digest for at, n, digest in nodes if at == level}
            rows = self._session.execute(
                select(LogNode.n, LogNode.hash)
                .where(LogNode.organisation_id == self._organisation_id, LogNode.level == level)
                .where(LogNode.n >= min(derived), LogNode.n <= max(derived))
            )
            stored = {row.n: row.hash for row in rows}
            for n, digest in derived.items():
                if n not in stored:
                    self._report.add(f"log_node {level}/{n}", "missing")
                elif stored[n] != digest:
                    self._report.add(f"log_node {level}/{n}", "is not the hash of the leaves below")


def _derived(block: Sequence[Any]) -> list[bytes] | None:
    try:
        return [_sha256(b"\x00" + row[1]).digest() for row in block]
    except TypeError:
        return None
