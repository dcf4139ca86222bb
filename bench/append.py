"""Log append, leaves built and sealed included, beside the plain driver writing the same rows.

The peer writes the very leaf, hash and sealed bytes that our run wrote, with the same commits, into tables of the
same columns without triggers: COPY on PostgreSQL, executemany on SQLite. It builds and seals nothing, keeps no tree
and no chain.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import select

from bench.engines import ENGINES, fresh_database, make_contacts, make_log
from bench.figures import Figure
from consentledger.db.engine import Database
from consentledger.db.log.entries import Chain, Draft
from consentledger.db.models import LogLeaf, Opening
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7

BATCH = 1_000
ROUNDS = 15
SINGLES = 150
LIMIT = 0.3
_LEAF = "organisation_id, entry_index, leaf, leaf_hash, appended_at"
_OPENING = "organisation_id, entry_index, opening_class, key_id, sealed"
Write = Callable[[Sequence[Any], Sequence[Any]], None]
Make = Callable[[Chain], Draft]


def expired(chain: Chain) -> Draft:
    """A small entry, such as the worker writes in batches: 7 committed fields."""
    return Draft("consent.expired", {"request": str(uuid7())}, actor="worker", chain=chain)


def withdrawn(chain: Chain) -> Draft:
    """An entry of middling size: 12 committed fields."""
    values = {
        "consent": str(uuid7()), "sender": str(uuid7()), "purpose": str(uuid7()),
        "channel": "email", "method": "one_click", "permit": "AAAAAAAAAAAAAAAA",
    }  # fmt: skip
    return Draft("consent.withdrawn", values, actor="person", chain=chain)


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures single appends and batches of 1,000, of a small and of a middling entry."""
    return [figure for engine in engines for figure in _engine(engine)]


def _engine(engine: str) -> list[Figure]:
    figures = []
    with fresh_database(engine) as database, peer(database) as beside:
        run_ = _Run(database, beside)
        for make, size in ((expired, "7 fields"), (withdrawn, "12 fields")):
            for per_commit, count, name in ((1, SINGLES, "single"), (BATCH, 1, "batches of 1,000")):
                run_.round(make, per_commit, count)  # warm up
                rounds = [run_.round(make, per_commit, count) for _ in range(ROUNDS)]
                ours = median(rate for rate, _ in rounds)
                plain = median(rate for _, rate in rounds)
                ratio = median(a / b for a, b in rounds)
                what = f"append, {size}, {name}"
                figures += [
                    Figure(engine, what, ours, "entries/s"),
                    Figure(engine, f"plain driver, the same rows, {name}", plain, "entries/s"),
                    Figure(engine, f"{what}, of the plain driver", ratio, "", LIMIT),
                ]
    return figures


class _Run:
    """Appends, then lets the peer write the very rows that came of it, round by round."""

    def __init__(self, database: Database, peer: Write) -> None:
        self._database = database
        self._peer = peer
        self._organisation_id = make_log(database)
        self._chains = make_contacts(database, self._organisation_id, BATCH)
        self._size = 0

    def round(self, make: Make, per_commit: int, count: int) -> tuple[float, float]:
        """Returns (our rate, the peer's rate) in entries/s over `count` commits of `per_commit`."""
        drafts = [[make(chain) for chain in self._chains[i : i + per_commit]] for i in range(count)]
        started = time.perf_counter()
        for batch in drafts:
            with self._database.begin() as tx:
                tx.log.append(tx, self._organisation_id, batch)
        ours = time.perf_counter() - started
        written = self._written(per_commit, count)
        started = time.perf_counter()
        for leaves, openings in written:
            self._peer(leaves, openings)
        plain = time.perf_counter() - started
        self._size += per_commit * count
        return per_commit * count / ours, per_commit * count / plain

    def _written(self, per_commit: int, count: int) -> list[tuple[list[Any], list[Any]]]:
        with self._database.read() as session:
            parts = []
            for i in range(count):
                low = self._size + i * per_commit
                leaves, openings = (
                    list(
                        session.execute(
                            select(*table.__table__.c)
                            .where(table.entry_index >= low, table.entry_index < low + per_commit)
                            .order_by(table.entry_index)
                        )
                    )
                    for table in (LogLeaf, Opening)
                )
                if len(leaves) != per_commit:
                    raise SystemExit("the run wrote another number of entries than it should")
                parts.append((leaves, openings))
        return parts


@contextmanager
def peer(database: Database) -> Iterator[Write]:
    """Gives the plain driver's way to write leaves and openings, with tables of its own."""
    if database.name == "sqlite":
        with closing(
            sqlite3.connect(f"{database.url.database}.peer", isolation_level=None)
        ) as file:
            yield _sqlite_peer(file)
        return
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        yield _postgresql_peer(connection)


def _sqlite_peer(connection: sqlite3.Connection) -> Write:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE leaf ({_LEAF}, PRIMARY KEY (organisation_id, entry_index))")
    connection.execute(
        f"CREATE TABLE opening ({_OPENING},"
        " PRIMARY KEY (organisation_id, entry_index, opening_class))"
    )

    def write(leaves: Sequence[Any], openings: Sequence[Any]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO leaf VALUES (?, ?, ?, ?, ?)",
            [(o.hex, i, leaf, digest, to_text(at)) for o, i, leaf, digest, at in leaves],
        )
        connection.executemany(
            "INSERT INTO opening VALUES (?, ?, ?, ?, ?)",
            [(o.hex, i, name, key.hex, sealed) for o, i, name, key, sealed in openings],
        )
        connection.execute("COMMIT")

    return write


def _postgresql_peer(connection: psycopg.Connection[Any]) -> Write:
    connection.execute(
        "CREATE TABLE peer_leaf (organisation_id uuid, entry_index bigint, leaf bytea,"
        " leaf_hash bytea, appended_at timestamptz, PRIMARY KEY (organisation_id, entry_index))"
    )
    connection.execute(
        "CREATE TABLE peer_opening (organisation_id uuid, entry_index bigint, opening_class text,"
        " key_id uuid, sealed bytea, PRIMARY KEY (organisation_id, entry_index, opening_class))"
    )
    connection.commit()

    def write(leaves: Sequence[Any], openings: Sequence[Any]) -> None:
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY peer_leaf ({_LEAF}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("uuid", "int8", "bytea", "bytea", "timestamptz"))
                for row in leaves:
                    copy.write_row(row)
            with cursor.copy(f"COPY peer_opening ({_OPENING}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("uuid", "int8", "text", "uuid", "bytea"))
                for row in openings:
                    copy.write_row(row)
        connection.commit()

    return write
