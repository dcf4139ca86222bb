"""A key store of its own: another database, SQLite or PostgreSQL, that holds keys and nothing else.

It has the tables `contact_key` and `organisation_key` of the main database (whose own stay empty but for the
numbers of suppression keys), and one row that says to which installation it belongs. Its transactions are its
own: a key is committed here before the main database's transaction that uses it, and deleted here before the
rows that it opened. Nobody who holds this database's lock waits for the main one's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import CheckConstraint, Connection, MetaData, SmallInteger, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from consentledger.db.base import NAMING, Base
from consentledger.db.engines import postgresql_engine, sqlite_engine, sqlite_path, with_driver
from consentledger.db.errors import translated
from consentledger.db.writer_gate import WriterGate

SETTING = "CONSENTLEDGER_KEYSTORE_URL"


class KeyStoreBase(DeclarativeBase):
    """The base of the one table that only a key store has."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = Base.type_annotation_map


class KeyStoreOwner(KeyStoreBase):
    """One row: the id of the guard of the installation whose keys these are."""

    __tablename__ = "key_store_owner"
    owner_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    guard_id: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("owner_id = 1", name="one_row"),)


class KeyDatabase:
    """The key store's database: `write` is one transaction, committed on a clean exit; `read` sees what is committed.

    Both raise UnavailableError when it is locked, full or gone.
    """

    def __init__(self, url: str, *, lock_timeout: float = 10.0) -> None:
        self.url = with_driver(url, SETTING)
        self.name = self.url.get_backend_name()
        self._gate: WriterGate | None = None
        if self.name == "sqlite":
            self._gate = WriterGate(sqlite_path(self.url, SETTING))
            self.write_engine = sqlite_engine(self.url, lock_timeout)
            self.read_engine = sqlite_engine(self.url, lock_timeout, begin="BEGIN", read_only=True)
        else:
            self.write_engine = postgresql_engine(self.url, lock_timeout)
            self.read_engine = self.write_engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Opens a transaction of its own: commits on a clean exit, rolls back on any exception."""
        with translated(), self._gated(), self.write_engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Opens a connection for reading."""
        with translated(), self.read_engine.connect() as connection:
            yield connection

    @contextmanager
    def _gated(self) -> Iterator[None]:
        if self._gate is None:
            yield
            return
        with self._gate:
            yield

    def owner(self) -> str | None:
        """Reads the id of the installation that this store belongs to; None when it is new."""
        with self.read() as connection:
            return connection.scalar(select(KeyStoreOwner.guard_id))

    def claim(self, guard_id: str, at: datetime) -> str:
        """Ties a new store to an installation; returns whose it is (another process may have been first)."""
        with self.write() as connection:
            if self.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE key_store_owner IN EXCLUSIVE MODE")
            found = connection.scalar(select(KeyStoreOwner.guard_id))
            if found is None:
                connection.execute(
                    insert(KeyStoreOwner).values(owner_id=1, guard_id=guard_id, made_at=at)
                )
            return found or guard_id

    def close(self) -> None:
        """Closes every pooled connection."""
        for engine in (self.write_engine, self.read_engine):
            engine.dispose()
