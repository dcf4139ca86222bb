"""What a database holds: rows and bytes of each table, as many as the values themselves take."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table, func, select, text

from consentledger.consents.models import Consent
from consentledger.db.installation import Installation
from consentledger.db.tables import metadata
from consentledger.kernel.clock import now
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.service import DUE

# On SQLite limits are counted in a file beside the database, in a table of its own.
COUNTERS, BESIDE = "counter", ".limits"


@dataclass(frozen=True, slots=True)
class Rows:
    """Of one table."""

    count: int
    bytes: int


Stored = Mapping[str, Rows]


def stored(installation: Installation) -> dict[str, Rows]:
    """Counts every table; without indexes and free space, which differ by engine and history."""
    with installation.database.read() as session:
        found = {}
        for table in metadata().sorted_tables:
            size = _row_size(table, installation.database.name)
            query = f'SELECT count(*), coalesce(sum({size}), 0) FROM "{table.name}" t'
            found[table.name] = Rows(*map(int, session.execute(text(query)).one()))
    if installation.database.name == "sqlite":
        found[COUNTERS] = _counters(installation)
    return found


def _counters(installation: Installation) -> Rows:
    file = Path(f"{installation.database.url.database}{BESIDE}")
    with closing(sqlite3.connect(file)) as connection:
        # The table comes with the first count.
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = ?", (COUNTERS,)
        ).fetchone():
            return Rows(0, 0)
        query = "SELECT count(*), coalesce(sum(length(key) + 16), 0) FROM counter"
        return Rows(*connection.execute(query).fetchone())


def _row_size(table: Table, engine: str) -> str:
    if engine == "postgresql":
        return "pg_column_size(t)"
    names = (f'coalesce(length(CAST(t."{column.name}" AS BLOB)), 0)' for column in table.columns)
    return " + ".join(names)


def more(before: Stored, after: Stored) -> dict[str, Rows]:
    """What came on top, of the tables that changed."""
    found = {
        name: Rows(rows.count - before[name].count, rows.bytes - before[name].bytes)
        for name, rows in after.items()
        if name in before
    }
    return {name: rows for name, rows in found.items() if rows.count or rows.bytes}


def confirmed(installation: Installation) -> int:
    """How many consents were ever confirmed."""
    query = select(func.count()).select_from(Consent).where(Consent.confirmed_at.is_not(None))
    with installation.database.read() as session:
        return session.scalar(query) or 0


def settle(installation: Installation, seconds: float = 60) -> float:
    """Waits until the worker has done all that is due; returns how long that took, in seconds."""
    began = time.monotonic()
    due = select(func.count()).select_from(OutboxRow).where(OutboxRow.state == DUE)
    while time.monotonic() - began < seconds:
        with installation.database.read() as session:
            if not session.scalar(due.where(OutboxRow.run_at <= now())):
                break
        time.sleep(0.2)
    return time.monotonic() - began
