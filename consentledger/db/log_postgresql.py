"""The rows of one append, written on PostgreSQL: one CTE for a few entries, COPY for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

if TYPE_CHECKING:
    from consentledger.db.log import Rows

COPY_ABOVE = 16

_STATE = """
  contacts AS (
    INSERT INTO contact_entry (organisation_id, entry_index, contact_id)
    SELECT %(org)s, i, c FROM unnest(%(entry_index)s::bigint[], %(entry_contact)s::uuid[]) AS u (i, c)),
  nodes AS (
    INSERT INTO log_node (organisation_id, level, n, hash)
    SELECT %(org)s, l, n, h FROM unnest(%(level)s::smallint[], %(n)s::bigint[], %(node)s::bytea[]) AS u (l, n, h)),
  chains AS (
    UPDATE contact SET entries = u.e, last_leaf_hash = u.h
    FROM unnest(%(chain_contact)s::uuid[], %(chain_entries)s::bigint[], %(chain_hash)s::bytea[]) AS u (c, e, h)
    WHERE contact.organisation_id = %(org)s AND contact.contact_id = u.c)
UPDATE log_head SET size = %(size)s, root = %(root)s, frontier = %(frontier)s, mac = %(mac)s
WHERE organisation_id = %(org)s AND size = %(first)s
"""

_FEW = """
WITH leaves AS (
    INSERT INTO log_leaf (organisation_id, entry_index, leaf, leaf_hash, appended_at)
    SELECT %(org)s, i, l, h, %(at)s
    FROM unnest(%(index)s::bigint[], %(leaf)s::bytea[], %(leaf_hash)s::bytea[]) AS u (i, l, h)),
  openings AS (
    INSERT INTO opening (organisation_id, entry_index, opening_class, key_id, sealed)
    SELECT %(org)s, i, c, k, s
    FROM unnest(%(opening_index)s::bigint[], %(class)s::text[], %(key_id)s::uuid[],
                %(sealed)s::bytea[]) AS u (i, c, k, s)),
"""  # goes on with _STATE


def write(connection: Connection, rows: Rows) -> None:
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
            connection,
            "COPY log_leaf (organisation_id, entry_index, leaf, leaf_hash, appended_at) FROM STDIN (FORMAT BINARY)",
            ("uuid", "int8", "bytea", "bytea", "timestamptz"),
            ((org, *leaf, rows.at) for leaf in leaves),
        )
        _copy(
            connection,
            "COPY opening (organisation_id, entry_index, opening_class, key_id, sealed) FROM STDIN (FORMAT BINARY)",
            ("uuid", "int8", "text", "uuid", "bytea"),
            ((org, *opening) for opening in openings),
        )
        connection.exec_driver_sql("WITH" + _STATE, parameters)
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
    connection.exec_driver_sql(_FEW + _STATE, parameters)


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


def _copy(
    connection: Connection, statement: str, types: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
