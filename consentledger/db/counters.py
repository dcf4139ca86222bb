"""Counters that several processes share: one statement counts everything that a request counts.

PostgreSQL counts in the table `rate_limit`, SQLite in a file of its own beside the database: there a count must not
queue behind sign-ups at the one writer's gate, and a lost count costs nothing. One multi-row upsert with sorted keys
is one round trip and no deadlock (docs/adr/0001, 0017). Both talk to the driver, for a count runs on every post.
"""

from __future__ import annotations

import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine

from consentledger.db.errors import DRIVER_ERRORS, translated
from consentledger.db.writer_gate import WriterGate

BATCH = 1_000


class Slot(NamedTuple):
    """One counter: whose (a keyed hash), the number of its window, and the second in which that ends.

    A tuple, for half a dozen are made, hashed and sorted on every post.
    """

    key: bytes
    window: int
    ends: int


class Counters(ABC):
    """Numbers under keyed hashes, each until its window ends."""

    @abstractmethod
    def add(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Counts one more in every slot, of keys that are all different; returns the counts by key.

        UnavailableError when the database is locked, full or gone.
        """

    @abstractmethod
    def read(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Returns what is counted, by key; a slot that nobody counted is missing."""

    @abstractmethod
    def sweep(self, before: datetime) -> int:
        """Deletes counters whose window ended before an instant; returns how many."""

    @abstractmethod
    def close(self) -> None:
        """Closes what is open."""


class SqliteCounters(Counters):
    """A file of counters; its table is made when it is missing, and a file that cannot be read is made anew.

    Synchronous NORMAL: nothing waits for the disk but a checkpoint, and a power cut leaves a sound file.
    """

    def __init__(self, file: Path, lock_timeout: float) -> None:
        self._file = file
        self._timeout = lock_timeout
        self._gate = WriterGate(file)
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._of: tuple[int | None, int | None] = (None, None)  # process and file of the connection

    def add(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Counts one more in every slot."""
        values = [value for slot in sorted(slots) for value in (slot.ends, slot.key)]
        return dict(self._rows(_sqlite_add(len(slots)), values))

    def read(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Returns what is counted, by key."""
        values = [value for slot in slots for value in (slot.ends, slot.key)]
        return dict(self._rows(_sqlite_read(len(slots)), values))

    def sweep(self, before: datetime) -> int:
        """Deletes what is over, in small steps: posts are counted in between."""
        swept = 0
        while True:
            done = len(self._rows(_SQLITE_SWEEP, (int(before.timestamp()), BATCH)))
            swept += done
            if done < BATCH:
                return swept

    def close(self) -> None:
        """Closes the file, if this process opened it; one that was never opened is not made for that."""
        if self._connection is not None:
            with self._gate:
                self._shut()

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        with translated(), self._gate:
            try:
                return self._opened().execute(statement, values).fetchall()
            except sqlite3.DatabaseError as error:
                if not _torn(error):
                    raise
            self._shut()
            return self._opened().execute(statement, values).fetchall()

    def _opened(self) -> sqlite3.Connection:
        # After a fork a child must not use its parent's connection, and a file made anew is another one.
        inode = None
        with suppress(FileNotFoundError):
            inode = self._file.stat().st_ino
        if self._connection is None or self._of != (os.getpid(), inode):
            self._shut()
            self._connection = self._open()
            self._of = (os.getpid(), self._file.stat().st_ino)
        return self._connection

    def _shut(self) -> None:
        if self._connection is not None:
            if self._of[0] == os.getpid():
                self._connection.close()
            else:
                self._inherited.append(self._connection)  # closed by its own process only
        self._connection = None

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _torn(error):
                raise
            # What it counted is worth less than the sign-ups that it would keep out.
            for end in ("", "-wal", "-shm"):
                Path(f"{self._file}{end}").unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute(_SQLITE_TABLE)
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("the counters' file is torn")
        except BaseException:
            connection.close()
            raise
        return connection


class PostgresqlCounters(Counters):
    """The table `rate_limit`, written without waiting for the disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Counts one more in every slot."""
        values: list[object] = []
        for slot in sorted(slots):
            values += (slot.key, slot.window, datetime.fromtimestamp(slot.ends, UTC))
        return dict(self._rows(_postgresql_add(len(slots)), values))

    def read(self, slots: Sequence[Slot]) -> dict[bytes, int]:
        """Returns what is counted, by key."""
        values = [value for slot in slots for value in (slot.key, slot.window)]
        return dict(self._rows(_postgresql_read(len(slots)), values))

    def sweep(self, before: datetime) -> int:
        """Deletes what is over, in small steps and without waiting for rows that are being counted."""
        swept = 0
        while True:
            done = len(self._rows(_POSTGRESQL_SWEEP, (before, BATCH)))
            swept += done
            if done < BATCH:
                return swept

    def close(self) -> None:
        """Closes every pooled connection."""
        self._engine.dispose()

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        with translated():
            pooled = self._engine.raw_connection()
            driver: Any = pooled.driver_connection
            try:
                if not driver.autocommit:
                    driver.autocommit = True
                with driver.cursor(binary=True) as cursor:
                    return list(cursor.execute(statement, values).fetchall())
            except DRIVER_ERRORS:
                if driver.closed:
                    # The server went away: its other connections are as dead as this one.
                    pooled.invalidate()
                    self._engine.dispose()
                raise
            finally:
                pooled.close()


def _torn(error: sqlite3.DatabaseError) -> bool:
    # Of this class itself are only a file that is no database, and one whose pages contradict each other.
    return type(error) is sqlite3.DatabaseError


_SQLITE_TABLE = """CREATE TABLE IF NOT EXISTS counter
    (ends INTEGER NOT NULL, key BLOB NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (ends, key))
    WITHOUT ROWID"""
_SQLITE_SWEEP = """DELETE FROM counter WHERE (ends, key) IN
    (SELECT ends, key FROM counter WHERE ends < ? ORDER BY ends, key LIMIT ?) RETURNING 1"""
_POSTGRESQL_SWEEP = """DELETE FROM rate_limit WHERE (key_hash, "window") IN
    (SELECT key_hash, "window" FROM rate_limit WHERE ends_at < %s
     ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING 1"""


# Written once for each number of slots: a statement built anew costs more than its round trip.
@cache
def _sqlite_add(slots: int) -> str:
    lines = ", ".join(["(?, ?, 1)"] * slots)
    return (
        f"INSERT INTO counter (ends, key, count) VALUES {lines}"  # noqa: S608
        " ON CONFLICT (ends, key) DO UPDATE SET count = count + 1 RETURNING key, count"
    )


@cache
def _sqlite_read(slots: int) -> str:
    wanted = " OR ".join(["(ends = ? AND key = ?)"] * slots)
    return f"SELECT key, count FROM counter WHERE {wanted}"  # noqa: S608


@cache
def _postgresql_add(slots: int) -> str:
    lines = ", ".join(["(%s, %s::int, 1, %s)"] * slots)
    return (
        f'INSERT INTO rate_limit (key_hash, "window", count, ends_at) VALUES {lines}'  # noqa: S608
        ' ON CONFLICT (key_hash, "window") DO UPDATE SET count = rate_limit.count + 1'
        " RETURNING key_hash, count"
    )


@cache
def _postgresql_read(slots: int) -> str:
    wanted = " OR ".join(['(key_hash = %s AND "window" = %s::int)'] * slots)
    return f"SELECT key_hash, count FROM rate_limit WHERE {wanted}"  # noqa: S608
