"""Append with the keys in a database of their own, beside the plain drivers writing the same rows to two databases.

Each batch is of 1,000 people who come for the first time: their keys are made and committed to the key store, then
their entries are appended. The peer commits the very key rows to one database, and the very leaves and sealed bytes
to the other. The contacts' own rows are written by neither while the clock runs.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from bench.append import expired, peer, withdrawn
from bench.engines import ENGINES, fresh_url, make_log
from bench.figures import Figure
from bench.million import make_people
from consentledger.db.engine import Database
from consentledger.db.keystore.database import KeyDatabase
from consentledger.db.keystore.store import KeyStore, PreparedKeys
from consentledger.db.log.append import Log
from consentledger.db.log.entries import Chain, Draft
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.migrate import upgrade
from consentledger.db.models import LogLeaf, Opening
from consentledger.kernel.clock import now, to_text

BATCH = 1_000
ROUNDS = 11
LIMIT = 0.25
WriteKeys = Callable[[UUID, Sequence[PreparedKeys]], None]


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures a small and a middling entry on each engine."""
    return [figure for engine in engines for figure in _engine(engine)]


def _engine(engine: str) -> list[Figure]:
    figures = []
    with fresh_url(engine) as url, _beside(engine, url) as keys_url:
        keystore = KeyStore([b"m" * 32], KeyDatabase(keys_url))
        database = Database(url, log=Log(keystore, HeadMac([b"a" * 32])))
        upgrade(database)
        organisation_id = make_log(database)
        with peer(database) as write, _keys_peer(engine, keys_url) as write_keys:
            for make, size in ((expired, "7 fields"), (withdrawn, "12 fields")):
                rounds = [
                    _round(database, organisation_id, make, write, write_keys)
                    for _ in range(ROUNDS + 1)
                ][1:]  # the first one warms up
                what = f"append with keys apart, {size}, batches of 1,000"
                ours = median(BATCH / mine for mine, _ in rounds)
                ratio = median(plain / mine for mine, plain in rounds)
                figures += [
                    Figure(engine, what, ours, "entries/s"),
                    Figure(engine, f"{what}, of the plain driver", ratio, "", LIMIT),
                ]
        database.close()
        keystore.close()
    return figures


def _round(
    database: Database,
    organisation_id: UUID,
    make: Callable[[Chain], Draft],
    write: Callable[[Sequence[Any], Sequence[Any]], None],
    write_keys: WriteKeys,
) -> tuple[float, float]:
    """Returns (our seconds, the peer's seconds) for one batch."""
    keystore = database.log.keystore
    started = time.perf_counter()
    prepared = [keystore.prepare_contact(organisation_id) for _ in range(BATCH)]
    with database.begin() as tx:
        keystore.store_many(tx, organisation_id, prepared)
    ours = time.perf_counter() - started
    with database.begin() as tx:
        keys = keystore.organisation(tx.session, organisation_id)
        chains = make_people(tx, organisation_id, keys, prepared, time.time_ns())
    drafts = [make(chain) for chain in chains]
    started = time.perf_counter()
    with database.begin() as tx:
        first = tx.log.append(tx, organisation_id, drafts)[0].index
    ours += time.perf_counter() - started
    leaves, openings = (_written(database, table, first) for table in (LogLeaf, Opening))
    started = time.perf_counter()
    write_keys(organisation_id, prepared)
    write(leaves, openings)
    return ours, time.perf_counter() - started


def _written(database: Database, table: Any, first: int) -> list[Any]:
    with database.read() as session:
        query = select(*table.__table__.c).where(table.entry_index >= first)
        return list(session.execute(query.order_by(table.entry_index)))


@contextmanager
def _beside(engine: str, url: str) -> Iterator[str]:
    """A second database: another file, or another one on the same server."""
    if engine == "sqlite":
        yield f"{url}.keys"
        return
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS bench_keys"))
        connection.execute(text("CREATE DATABASE bench_keys"))
    admin.dispose()
    yield make_url(url).set(database="bench_keys").render_as_string(hide_password=False)


@contextmanager
def _keys_peer(engine: str, url: str) -> Iterator[WriteKeys]:
    columns = "(organisation_id, key_id, wrapped, made_at)"
    if engine == "sqlite":
        path = f"{make_url(url).database}.peer"
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=FULL")
            file.execute(
                f"CREATE TABLE keys ({columns[1:-1]}, PRIMARY KEY (organisation_id, key_id))"
            )

            def store(organisation_id: UUID, prepared: Sequence[PreparedKeys]) -> None:
                org, at = organisation_id.hex, to_text(now())
                rows = [(org, one.keys.key_id.hex, one.wrapped, at) for one in prepared]
                file.execute("BEGIN IMMEDIATE")
                file.executemany("INSERT INTO keys VALUES (?, ?, ?, ?)", rows)
                file.execute("COMMIT")

            yield store
        return
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        connection.execute(
            "CREATE TABLE peer_keys (organisation_id uuid, key_id uuid, wrapped bytea,"
            " made_at timestamptz, PRIMARY KEY (organisation_id, key_id))"
        )
        connection.commit()

        def copy(organisation_id: UUID, prepared: Sequence[PreparedKeys]) -> None:
            at = now()
            statement = f"COPY peer_keys {columns} FROM STDIN (FORMAT BINARY)"
            with connection.cursor() as cursor, cursor.copy(statement) as rows:
                rows.set_types(("uuid", "uuid", "bytea", "timestamptz"))
                for one in prepared:
                    rows.write_row((organisation_id, one.keys.key_id, one.wrapped, at))
            connection.commit()

        yield copy
