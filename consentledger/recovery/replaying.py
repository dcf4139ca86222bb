"""Missing entries put back: checked first against the guard's root, then written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.guard import Signed
from consentledger.db.models import ContactEntry, LogHead, LogLeaf, LogNode, Opening
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import from_text
from consentledger.kernel.errors import IntegrityError
from consentledger.ledger.merkle import Frontier, leaf_hash
from consentledger.recovery import columns
from consentledger.recovery.model import SavedEntry

CHUNK = 500
Source = Callable[[], Iterator[SavedEntry]]


def missing_of(source: Source, low: int, high: int) -> list[int]:
    """Returns the indexes of [low, high) that a source does not have."""
    held = {entry.index for entry in source()}
    return [index for index in range(low, high) if index not in held]


def grown(source: Source, frontier: Frontier) -> Frontier:
    """Returns the tree that a source's entries make of `frontier`, in flat memory."""
    for chunk in _chunks(source()):
        frontier, _ = frontier.append([leaf_hash(entry.leaf) for entry in chunk])
    return frontier


def put_back(tx: Tx, organisation_id: UUID, source: Source, signed: Signed) -> int:
    """Writes the entries and moves the head to what was signed; returns how many. IntegrityError if it is not that.

    Past the head's own lock, since a recovery is no append: the guard has these entries already.
    """
    head = tx.session.scalars(
        select(LogHead).where(LogHead.organisation_id == organisation_id).with_for_update()
    ).one()
    frontier, first = Frontier.from_bytes(head.size, head.frontier), head.size
    tx.log.heads.check(head.origin, frontier, head.root, head.mac)
    for chunk in _chunks(source()):
        if chunk[0].index != frontier.size:
            raise IntegrityError("the database changed while entries were put back: run it again")
        frontier, nodes = frontier.append([leaf_hash(entry.leaf) for entry in chunk])
        _write(tx, organisation_id, chunk)
        if nodes:
            made = [dict(zip(("level", "n", "hash"), node, strict=True)) for node in nodes]
            own = {"organisation_id": organisation_id}
            tx.session.execute(insert(LogNode), [own | node for node in made])
    if (frontier.size, frontier.root()) != (signed.size, signed.root):
        raise IntegrityError("the entries do not give the tree that was signed")
    tx.session.execute(
        update(LogHead)
        .where(LogHead.organisation_id == organisation_id)
        .values(
            size=frontier.size,
            root=frontier.root(),
            frontier=frontier.to_bytes(),
            mac=tx.log.heads.make(head.origin, frontier),
        )
    )
    return frontier.size - first


def _write(tx: Tx, organisation_id: UUID, chunk: list[SavedEntry]) -> None:
    own = {"organisation_id": organisation_id}
    leaves: list[dict[str, Any]] = []
    openings: list[dict[str, Any]] = []
    owners: list[dict[str, Any]] = []
    for entry in chunk:
        place = {**own, "entry_index": entry.index}
        hashed, at = leaf_hash(entry.leaf), from_text(entry.at)
        leaves.append({**place, "leaf": entry.leaf, "leaf_hash": hashed, "appended_at": at})
        openings += [
            {**place, "opening_class": name, "key_id": key, "sealed": sealed}
            for name, key, sealed in entry.openings
        ]
        if entry.contact_id is not None:
            owners.append({**place, "contact_id": entry.contact_id})
        for table, rows in entry.rows.items():
            put_rows(tx, organisation_id, table, rows)
    for model, rows in ((LogLeaf, leaves), (Opening, openings), (ContactEntry, owners)):
        if rows:
            tx.session.execute(insert(model), rows)


def put_rows(tx: Tx, organisation_id: UUID, name: str, rows: list[dict[str, Any]]) -> None:
    """Inserts rows of a table that no leaf tells, where there are none yet; tables unknown here are left out."""
    table = columns.TABLES.get(name)
    if table is None or not rows:
        return
    values = [columns.from_json(table, row, organisation_id) for row in rows]
    dialect = sqlite if tx.database.name == "sqlite" else postgresql
    tx.connection.execute(dialect.insert(table).on_conflict_do_nothing(), values)


def _chunks(entries: Iterator[SavedEntry]) -> Iterator[list[SavedEntry]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk
