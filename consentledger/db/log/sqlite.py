"""The rows of one append, written on SQLite by executemany."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any
from uuid import UUID

from consentledger.db.log.entries import Rows
from consentledger.kernel.clock import to_text

_READ_HEAD = "SELECT origin, size, root, frontier, mac FROM log_head WHERE organisation_id = ?"
_LEAF = "INSERT INTO log_leaf (organisation_id, entry_index, leaf, leaf_hash, appended_at) VALUES (?, ?, ?, ?, ?)"
_OPENING = "INSERT INTO opening (organisation_id, entry_index, opening_class, key_id, sealed) VALUES (?, ?, ?, ?, ?)"
_NODE = "INSERT INTO log_node (organisation_id, level, n, hash) VALUES (?, ?, ?, ?)"
_ENTRY = "INSERT INTO contact_entry (organisation_id, entry_index, contact_id) VALUES (?, ?, ?)"
_CHAIN = "UPDATE contact SET entries = ?, last_leaf_hash = ? WHERE organisation_id = ? AND contact_id = ?"
_HEAD = "UPDATE log_head SET size = ?, root = ?, frontier = ?, mac = ? WHERE organisation_id = ? AND size = ?"


def lock_head(driver: Connection, organisation_id: UUID) -> tuple[Any, ...] | None:
    """Reads the head; BEGIN IMMEDIATE has locked the whole database already."""
    row: tuple[Any, ...] | None = driver.execute(_READ_HEAD, (organisation_id.hex,)).fetchone()
    return row


def write(driver: Connection, rows: Rows) -> None:
    """Writes leaves, openings, nodes, contacts' chains and the head."""
    organisation, at = rows.organisation_id.hex, to_text(rows.at)
    indexed = list(enumerate(rows.entries, rows.first))
    batches: list[tuple[str, list[tuple[object, ...]]]] = [
        (_LEAF, [(organisation, i, entry.leaf, entry.leaf_hash, at) for i, entry in indexed]),
        (
            _OPENING,
            [
                (organisation, i, o.opening_class, o.key_id.hex if o.key_id else None, o.sealed)
                for i, entry in indexed
                for o in entry.openings
            ],
        ),
        (_NODE, [(organisation, level, n, node) for level, n, node in rows.nodes]),
        (_ENTRY, [(organisation, i, e.chain.contact_id.hex) for i, e in indexed if e.chain]),
        (_CHAIN, [(c.entries, c.prev, organisation, c.contact_id.hex) for c in rows.chains]),
        (_HEAD, [(rows.size, rows.root, rows.frontier, rows.mac, organisation, rows.first)]),
    ]
    for statement, values in batches:
        if values:
            driver.executemany(statement, values)
