"""An insider who rewrites a log: leaves changed, and everything above them derived anew, as far as their keys go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from consentledger.db.guard import Signed
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.models import LogCheckpoint, LogHead, LogLeaf, LogNode, Opening
from consentledger.kernel.clock import now
from consentledger.ledger.merkle import Frontier, leaf_hash
from tests.support.history import History


@dataclass(frozen=True, slots=True)
class Forger:
    """Somebody with a connection, and with APPEND_KEY or without it."""

    connection: Connection
    history: History
    append_key: bytes | None = None

    def append(self, leaf: bytes) -> None:
        """Puts a leaf behind the last one, with its right hash, and moves the head."""
        self.put(leaf)
        self.derive()

    def put(self, leaf: bytes) -> None:
        """Puts a leaf behind the last one and nothing else."""
        self.connection.execute(
            insert(LogLeaf).values(
                organisation_id=self.history.organisation_id, entry_index=len(self._hashes()),
                leaf=leaf, leaf_hash=leaf_hash(leaf), appended_at=now(),
            )
        )  # fmt: skip

    def repeat(self, index: int, other: int) -> None:
        """Puts another entry, with what opens it, in the place of one, and changes the whole tree with it.

        An opening is bound to its leaf, so that it opens there too, without any key.
        """
        org, leaf = self.history.organisation_id, self.leaf(other)
        opening = select(Opening.sealed).where(Opening.organisation_id == org)
        sealed = self.connection.execute(opening.where(Opening.entry_index == other)).scalar_one()
        for table, values in (
            (LogLeaf, {"leaf": leaf, "leaf_hash": leaf_hash(leaf)}),
            (Opening, {"sealed": sealed}),
        ):
            here = update(table).where(table.organisation_id == org, table.entry_index == index)
            self.connection.execute(here.values(values))
        self.derive()

    def forget_checkpoints(self) -> None:
        """Deletes what was published, so that it contradicts nothing here."""
        org = self.history.organisation_id
        self.connection.execute(delete(LogCheckpoint).where(LogCheckpoint.organisation_id == org))

    def derive(self) -> None:
        """Writes nodes and head as they follow from the leaves; the MAC only with APPEND_KEY."""
        org = self.history.organisation_id
        frontier, nodes = Frontier.empty().append(self._hashes())
        self.connection.execute(delete(LogNode).where(LogNode.organisation_id == org))
        for level, n, digest in nodes:
            row = {"organisation_id": org, "level": level, "n": n, "hash": digest}
            self.connection.execute(insert(LogNode).values(row))
        values = {
            "size": frontier.size,
            "root": frontier.root(),
            "frontier": frontier.to_bytes(),
        }
        if self.append_key is not None:
            mac = HeadMac([self.append_key]).make(self.history.origin, frontier)
            values["mac"] = mac
        self.connection.execute(
            update(LogHead).where(LogHead.organisation_id == org).values(values)
        )

    def signed(self) -> Signed:
        """Reads what the head says now, as the guard keeps it."""
        query = select(LogHead.size, LogHead.root)
        row = self.connection.execute(
            query.where(LogHead.organisation_id == self.history.organisation_id)
        ).one()
        return Signed(row.size, bytes(row.root))

    def leaf(self, index: int) -> bytes:
        """Reads an entry's leaf."""
        query = select(LogLeaf.leaf).where(
            LogLeaf.organisation_id == self.history.organisation_id, LogLeaf.entry_index == index
        )
        return bytes(self.connection.execute(query).scalar_one())

    def _hashes(self) -> list[bytes]:
        query = (
            select(LogLeaf.leaf_hash)
            .where(LogLeaf.organisation_id == self.history.organisation_id)
            .order_by(LogLeaf.entry_index)
        )
        return [bytes(found) for found in self.connection.execute(query).scalars()]
