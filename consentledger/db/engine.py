"""Engines for SQLite and PostgreSQL, and the one way to open a transaction or a short read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from consentledger.db.counters import Counters, PostgresqlCounters, SqliteCounters
from consentledger.db.engines import postgresql_engine, sqlite_engine, sqlite_path, with_driver
from consentledger.db.errors import translated
from consentledger.db.log.append import Log
from consentledger.db.unit_of_work import Tx
from consentledger.db.writer_gate import WriterGate
from consentledger.kernel.clock import now


class Database:
    """One database on either engine: `begin` for writers, `read` for short reads, `autocommit` for counters.

    `url` is sqlite:///path or postgresql://…; `log` is handed to every unit of work; `lock_timeout`, in
    seconds, bounds every wait for a lock.
    """

    def __init__(self, url: str, *, log: Log, lock_timeout: float = 10.0) -> None:
        self.log = log
        self.url = with_driver(url)
        self.name = self.url.get_backend_name()
        self.lock_timeout = lock_timeout
        self._gate: WriterGate | None = None
        if self.name == "sqlite":
            self._gate = WriterGate(sqlite_path(self.url))
            self.write_engine = sqlite_engine(self.url, lock_timeout, begin="BEGIN IMMEDIATE")
            self.read_engine = sqlite_engine(self.url, lock_timeout, begin="BEGIN", read_only=True)
            self.counter_engine = sqlite_engine(self.url, lock_timeout, durable=False)
            file = Path(f"{sqlite_path(self.url)}.limits")
            self.counters: Counters = SqliteCounters(file, lock_timeout)
        else:
            self.write_engine = postgresql_engine(self.url, lock_timeout)
            self.counter_engine = postgresql_engine(self.url, lock_timeout, durable=False)
            self.counters = PostgresqlCounters(self.counter_engine)
            # READ COMMITTED sees each statement's own snapshot anyway: without BEGIN a read is one round trip.
            self.read_engine = self.write_engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Opens the unit of work: commits on a clean exit, rolls back on any exception.

        Raises UnavailableError when the database is locked, read-only, full or gone.
        """
        with (
            translated(),
            self._gated(),
            self.write_engine.connect() as connection,
            connection.begin(),
        ):
            tx = Tx(self, connection, now())
            try:
                yield tx
                tx.flush()
            finally:
                tx.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Opens a session for reading committed state; nothing is written through it."""
        with self._reading(self.read_engine) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Opens a reading session in which every statement sees the same moment (exports, fsck)."""
        engine = self.read_engine
        if self.name == "postgresql":
            engine = self.write_engine.execution_options(isolation_level="REPEATABLE READ")
        with self._reading(engine) as session:
            yield session

    @contextmanager
    def _reading(self, engine: Engine) -> Iterator[Session]:
        with translated(), engine.connect() as connection, connection.begin() as transaction:
            with Session(bind=connection, autoflush=False) as session:
                yield session
            transaction.rollback()

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Opens a connection for counters: each statement is a transaction of its own, in one round trip.

        It does not wait for the disk: a count lost in a power cut lets somebody ask once more, no more.
        """
        with translated(), self._gated(), self.counter_engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _gated(self) -> Iterator[None]:
        if self._gate is None:
            yield
            return
        with self._gate:
            yield

    def close(self) -> None:
        """Closes every pooled connection, those to a key store of its own too."""
        for engine in (self.write_engine, self.read_engine, self.counter_engine):
            engine.dispose()
        self.counters.close()
        self.log.keystore.close()
