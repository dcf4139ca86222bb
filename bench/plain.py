"""The plain driver's peer of bulk permits: the same SELECTs, the same rows, the same commits, and nothing else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from bench.crowd import address
from bench.world import World
from consentledger.contacts.queries import lookup_hashes

BATCH = 5_000
SALT = b"s" * 16
_TABLE = """
CREATE TABLE bench_permit (organisation_id {uuid} NOT NULL, batch BIGINT NOT NULL, row_number INTEGER NOT NULL,
  contact_id {uuid}, verdict SMALLINT NOT NULL, salt {bytes} NOT NULL, line_hash {bytes},
  PRIMARY KEY (organisation_id, batch, row_number))
"""
_INDEX = "CREATE INDEX ix_bench_permit ON bench_permit (organisation_id, contact_id)"
_LAST_SEND = (
    "LEFT JOIN last_send l ON l.organisation_id = c.organisation_id AND l.contact_id = c.contact_id"
    " AND l.channel = 'email'"
)
_COLUMNS = "organisation_id, batch, row_number, contact_id, verdict, salt"


def plain_rate(made: World, recipients: int) -> float:
    """Returns recipients/s of the plain driver alone; looking up the hashes is not counted."""
    measured = _sqlite if made.engine == "sqlite" else _postgresql
    return recipients / measured(made, recipients)


def _batches(made: World, recipients: int) -> Iterator[list[bytes]]:
    database = made.installation.database
    with database.read() as session:
        keys = made.installation.keystore.organisation(session, made.made.organisation_id)
    for start in range(0, recipients, BATCH):
        people = range(start, min(start + BATCH, recipients))
        yield sorted(filter(None, lookup_hashes(keys, [address(n) for n in people])))


def _postgresql(made: World, recipients: int) -> float:
    url = made.installation.database.url.set(drivername="postgresql")
    organisation, taken = made.made.organisation_id, 0.0
    options = "-c synchronous_commit=on -c jit=off -c plan_cache_mode=force_generic_plan"
    with psycopg.connect(
        url.render_as_string(hide_password=False), options=options, prepare_threshold=2
    ) as driver:
        driver.execute(_TABLE.format(uuid="uuid", bytes="bytea"))
        driver.execute(_INDEX)
        driver.commit()
        for number, hashes in enumerate(_batches(made, recipients)):
            started = time.perf_counter()
            driver.execute("SELECT size FROM log_head WHERE organisation_id = %b", (organisation,))
            found = driver.execute(
                "SELECT c.lookup, c.contact_id, c.standing, l.sent_on, l.renewed_on"
                " FROM unnest(%b::bytea[]) WITH ORDINALITY AS u (h, n)"
                " JOIN contact c ON c.organisation_id = %b AND c.lookup = u.h"
                f" {_LAST_SEND}",
                (hashes, organisation),
                binary=True,
            ).fetchall()
            with (
                driver.cursor() as cursor,
                cursor.copy(f"COPY bench_permit ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
            ):
                copy.set_types(("uuid", "int8", "int4", "uuid", "int2", "bytea"))
                for n, contact in enumerate(_padded(found, len(hashes), 1)):
                    copy.write_row((organisation, number, n, contact, 0, SALT))
            driver.commit()
            taken += time.perf_counter() - started
    return taken


def _sqlite(made: World, recipients: int) -> float:
    organisation, taken = made.made.organisation_id.hex, 0.0
    path = made.installation.database.url.database
    assert path is not None
    driver = sqlite3.connect(path, isolation_level=None, timeout=30)
    driver.execute("PRAGMA synchronous=FULL")
    driver.execute(_TABLE.format(uuid="CHAR(32)", bytes="BLOB"))
    driver.execute(_INDEX)
    for number, hashes in enumerate(_batches(made, recipients)):
        started = time.perf_counter()
        driver.execute(
            "SELECT size FROM log_head WHERE organisation_id = ?", (organisation,)
        ).fetchone()
        marks = ", ".join("?" * len(hashes))
        found = driver.execute(
            f"SELECT c.lookup, c.contact_id, c.standing, l.sent_on, l.renewed_on FROM contact c {_LAST_SEND}"
            f" WHERE c.organisation_id = ? AND c.lookup IN ({marks})",
            (organisation, *hashes),
        ).fetchall()
        driver.execute("BEGIN IMMEDIATE")
        driver.executemany(
            f"INSERT INTO bench_permit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (organisation, number, n, contact, 0, SALT)
                for n, contact in enumerate(_padded(found, len(hashes), 1))
            ],
        )
        driver.execute("COMMIT")
        taken += time.perf_counter() - started
    driver.close()
    return taken


def _padded(found: list[Any], count: int, column: int) -> list[Any]:
    return [row[column] for row in found] + [None] * (count - len(found))
