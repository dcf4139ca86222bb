"""Walks an organisation's raw leaves and re-derives every hash above them.

Nothing stored is believed: leaf hashes come from leaves, subtrees and roots from leaf hashes. Reads in
index order, in blocks, in flat memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.fsck.model import BLOCK, Progress, Report, Stop
from consentledger.db.models import LogLeaf, LogNode
from consentledger.ledger.merkle import Completed, Frontier, leaf_hash


class TreeCheck:
    """Walks one log's leaves once, re-deriving hashes, subtrees and the roots at every stop."""

    def __init__(self, session: Session, organisation_id: UUID, report: Report) -> None:
        self._session = session
        self._organisation_id = organisation_id
        self._report = report
        self.frontier = Frontier.empty()

    def run(self, stops: Iterator[Stop], progress: Progress) -> None:
        """Walks to the last leaf; `stops` come by ascending size, those beyond the leaves are found wrong."""
        stop = next(stops, None)
        for hashes in self._hashes():
            while stop and stop.size <= self.frontier.size + len(hashes):
                within = stop.size - self.frontier.size
                self._extend(hashes[:within])
                hashes = hashes[within:]
                stop.check(self.frontier.root())
                stop = next(stops, None)
            self._extend(hashes)
            progress(self.frontier.size, self._report.size)
        while stop:
            self._report.add(
                f"tree size {stop.size}",
                f"was signed, but only {self.frontier.size} leaves are there",
            )
            stop = next(stops, None)

    def _hashes(self) -> Iterator[list[bytes]]:
        expected = 0
        for block in self._blocks():
            hashes = []
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
                expected = index + 1
            yield hashes

    def _blocks(self) -> Iterator[Sequence[Any]]:
        after = -1
        while True:
            rows = self._session.execute(
                select(LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.leaf_hash)
                .where(
                    LogLeaf.organisation_id == self._organisation_id, LogLeaf.entry_index > after
                )
                .order_by(LogLeaf.entry_index)
                .limit(BLOCK)
            ).all()
            if not rows:
                return
            yield rows
            after = rows[-1][0]

    def _extend(self, hashes: Sequence[bytes]) -> None:
        self.frontier, nodes = self.frontier.append(hashes)
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
