"""Engines for SQLite and PostgreSQL, and the one way to open a transaction or a short read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from consentledger.db.errors import translated
from consentledger.db.log import Log
from consentledger.db.unit_of_work import Tx
from consentledger.db.writer_gate import WriterGate
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConfigurationError

POOL_SIZE = 16
COUNTER_POOL_SIZE = 4


class Database:
    """One database on either engine: `begin` for writers, `read` for short reads, `autocommit` for counters.

    `url` is sqlite:///path or postgresql://…; `log` is handed to every unit of work; `lock_timeout`, in
    seconds, bounds every wait for a lock.
    """

    def __init__(self, url: str, *, log: Log, lock_timeout: float = 10.0) -> None:
        self.log = log
        self.url = _with_driver(url)
        self.name = self.url.get_backend_name()
        self.lock_timeout = lock_timeout
        self._gate: WriterGate | None = None
        if self.name == "sqlite":
            self._gate = WriterGate(_sqlite_path(self.url))
            self.write_engine = _sqlite_engine(self.url, lock_timeout, begin="BEGIN IMMEDIATE")
            self.read_engine = _sqlite_engine(self.url, lock_timeout, begin="BEGIN", read_only=True)
            self.counter_engine = _sqlite_engine(self.url, lock_timeout, durable=False)
        else:
            self.write_engine = _postgresql_engine(self.url, lock_timeout)
            self.counter_engine = _postgresql_engine(self.url, lock_timeout, durable=False)
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
        """Closes every pooled connection."""
        for engine in (self.write_engine, self.read_engine, self.counter_engine):
            engine.dispose()


def _with_driver(text: str) -> URL:
    try:
        url = make_url(text)
    except Exception as error:
        raise ConfigurationError(
            f"CONSENTLEDGER_DATABASE_URL is not a database address: {error}"
        ) from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"CONSENTLEDGER_DATABASE_URL: use sqlite:///… or postgresql://…, not {backend}://…"
    )


def _sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError(
            "CONSENTLEDGER_DATABASE_URL: an in-memory SQLite database keeps no evidence"
        )
    return Path(url.database)


def _sqlite_engine(
    url: URL,
    lock_timeout: float,
    *,
    begin: str = "BEGIN IMMEDIATE",
    read_only: bool = False,
    durable: bool = True,
) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        hide_parameters=True,  # an error's text goes to the log: no address may come along
        connect_args={"check_same_thread": False, "timeout": lock_timeout},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is deferred: two readers that turn into writers then fail at once.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Asked of the options: SQLite itself knows no such level and would answer SERIALIZABLE.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL, lock_timeout: float, *, durable: bool = True) -> Engine:
    options = {
        "lock_timeout": int(lock_timeout * 1000),
        "synchronous_commit": "on" if durable else "off",
        "timezone": "UTC",
        "jit": "off",
        # An append is one statement of many parts: planning it anew each time costs more than running it.
        "plan_cache_mode": "force_generic_plan",
    }
    words = " ".join(f"-c {name}={value}" for name, value in options.items())
    try:
        return create_engine(
            url,
            pool_size=POOL_SIZE if durable else COUNTER_POOL_SIZE,
            max_overflow=POOL_SIZE,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={"options": words, "connect_timeout": 5, "prepare_threshold": 2},
        )
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "PostgreSQL needs the extra: pip install 'consentledger[postgres]'"
        ) from error
