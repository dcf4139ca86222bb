"""The rows of one append, written on PostgreSQL: one CTE for a few entries, COPY for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from consentledger.db.log.entries import Rows

COPY_ABOVE = 16

_LOCK_HEAD = """
SELECT origin, size, root, frontier, mac FROM log_head WHERE organisation_id = %b FOR UPDATE
"""

_STATE = """
  contacts AS (
    INSERT INTO contact_entry (organisation_id, entry_index, contact_id)
    SELECT %(org)b, i, c FROM unnest(%(entry_index)b::bigint[], %(entry_contact)b::uuid[]) AS u (i, c)),
  nodes AS (
    INSERT INTO log_node (organisation_id, level, n, hash)
    SELECT %(org)b, l, n, h FROM unnest(%(level)b::smallint[], %(n)b::bigint[], %(node)b::bytea[]) AS u (l, n, h)),
  chains AS (
    UPDATE contact SET entries = u.e, last_leaf_hash = u.h
    FROM unnest(%(chain_contact)b::uuid[], %(chain_entries)b::bigint[], %(chain_hash)b::bytea[]) AS u (c, e, h)
    WHERE contact.organisation_id = %(org)b AND contact.contact_id = u.c)
UPDATE log_head SET size = %(size)b, root = %(root)b, frontier = %(frontier)b, mac = %(mac)b
WHERE organisation_id = %(org)b AND size = %(first)b
"""

_FEW = """
WITH leaves AS (
    INSERT INTO log_leaf (organisation_id, entry_index, leaf, leaf_hash, appended_at)
    SELECT %(org)b, i, l, h, %(at)b
    FROM unnest(%(index)b::bigint[], %(leaf)b::bytea[], %(leaf_hash)b::bytea[]) AS u (i, l, h)),
  openings AS (
    INSERT INTO opening (organisation_id, entry_index, opening_class, key_id, sealed)
    SELECT %(org)b, i, c, k, s
    FROM unnest(%(opening_index)b::bigint[], %(class)b::text[], %(key_id)b::uuid[],
                %(sealed)b::bytea[]) AS u (i, c, k, s)),
"""  # goes on with _STATE


def lock_head(driver: Any, organisation_id: UUID) -> tuple[Any, ...] | None:
    """Locks the head's row and reads it; a later statement sees everything below its size."""
    row: tuple[Any, ...] | None = driver.execute(
        _LOCK_HEAD, (organisation_id,), binary=True
    ).fetchone()
    return row


def write(driver: Any, rows: Rows) -> None:
    """Writes leaves, openings, nodes, contacts' chains and the head."""
    indexed = list(enumerate(rows.entries, rows.first))
    parameters = _state_parameters(rows)
    leaves = [(i, entry.leaf, entry.leaf_hash) for i, entry in indexed]
    openings = [
        (i, o.opening_class, o.key_id, o.sealed) for i, entry in indexed for o in entry.openings
    ]
    if len(indexed) > COPY_ABOVE:
        org = rows.organisation_id
        _copy(
            driver,
            "COPY log_leaf (organisation_id, entry_index, leaf, leaf_hash, appended_at) FROM STDIN (FORMAT BINARY)",
            ("uuid", "int8", "bytea", "bytea", "timestamptz"),
            ((org, *leaf, rows.at) for leaf in leaves),
        )
        _copy(
            driver,
            "COPY opening (organisation_id, entry_index, opening_class, key_id, sealed) FROM STDIN (FORMAT BINARY)",
            ("uuid", "int8", "text", "uuid", "bytea"),
            ((org, *opening) for opening in openings),
        )
        driver.execute("WITH" + _STATE, parameters)
        return
    index, leaf, leaf_hash = _columns(leaves, 3)
    opening_index, opening_class, key_id, sealed = _columns(openings, 4)
    parameters |= {"at": rows.at, "index": index, "leaf": leaf, "leaf_hash": leaf_hash}
    parameters |= {
        "opening_index": opening_index,
        "class": opening_class,
        "key_id": key_id,
        "sealed": sealed,
    }
    driver.execute(_FEW + _STATE, parameters)


def _state_parameters(rows: Rows) -> dict[str, Any]:
    members = [(i, e.chain.contact_id) for i, e in enumerate(rows.entries, rows.first) if e.chain]
    entry_index, entry_contact = _columns(members, 2)
    level, n, node = _columns(rows.nodes, 3)
    chain = _columns([(c.contact_id, c.entries, c.prev) for c in rows.chains], 3)
    return {
        "org": rows.organisation_id,
        "entry_index": entry_index,
        "entry_contact": entry_contact,
        "level": level,
        "n": n,
        "node": node,
        "chain_contact": chain[0],
        "chain_entries": chain[1],
        "chain_hash": chain[2],
        "size": rows.size,
        "root": rows.root,
        "frontier": rows.frontier,
        "mac": rows.mac,
        "first": rows.first,
    }


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[i] for row in rows] for i in range(width)]


def _copy(driver: Any, statement: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
