"""SQLAlchemy's engines as every database of ours is opened: the main one, and a key store of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from consentledger.kernel.errors import ConfigurationError

DATABASE_URL = "CONSENTLEDGER_DATABASE_URL"
POOL_SIZE = 16
COUNTER_POOL_SIZE = 4


def with_driver(text: str, setting: str = DATABASE_URL) -> URL:
    """Reads a database's address and names its driver; ConfigurationError names the setting."""
    try:
        url = make_url(text)
    except Exception as error:
        raise ConfigurationError(f"{setting} is not a database address: {error}") from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(f"{setting}: use sqlite:///… or postgresql://…, not {backend}://…")


def sqlite_path(url: URL, setting: str = DATABASE_URL) -> Path:
    """Returns the file of a SQLite address."""
    if not url.database or url.database == ":memory:":
        raise ConfigurationError(f"{setting}: an in-memory SQLite database keeps no evidence")
    return Path(url.database)


def sqlite_engine(
    url: URL,
    lock_timeout: float,
    *,
    begin: str = "BEGIN IMMEDIATE",
    read_only: bool = False,
    durable: bool = True,
) -> Engine:
    """Makes an engine for a SQLite file; `begin` is what a transaction starts with."""
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


def postgresql_engine(url: URL, lock_timeout: float, *, durable: bool = True) -> Engine:
    """Makes an engine for PostgreSQL; one that is not durable does not wait for the disk."""
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
