"""A guard for several hosts: a SQL database of its own, apart from the main one and from its backups.

Its two small tables are made by itself. A swap is one conditional statement, so two signers cannot both succeed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.db.engines import postgresql_engine, sqlite_engine, sqlite_path, with_driver
from consentledger.db.errors import translated
from consentledger.db.guard.model import NOTHING, Signed, State
from consentledger.kernel.errors import ConfigurationError

SETTING = "CONSENTLEDGER_GUARD"
FRESH_SECONDS = 1.0
LOCK = 0x636F6E7367756172  # "consguar": held while the tables are made
METADATA = MetaData()
OWNER = Table("guard", METADATA, Column("guard_id", Text, primary_key=True))
SIGNED = Table(
    "guard_signed",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("size", BigInteger),
    Column("root", LargeBinary),
    Column("frozen", Text),
)
JOURNAL = Table(
    "guard_journal",
    METADATA,
    Column("n", BigInteger().with_variant(sqlite.INTEGER(), "sqlite"), primary_key=True),
    Column("line", LargeBinary, nullable=False),
)


class SqlGuard:
    """A guard in the database at `url`; `guard_id` ties it to one main database."""

    def __init__(self, url: str, guard_id: str, *, lock_timeout: float = 10.0) -> None:
        self.guard_id = guard_id
        self._url = with_driver(url, SETTING)
        self.name = self._url.get_backend_name()
        self._held = local()
        self.fresh_seconds = FRESH_SECONDS
        self._kept: dict[str, tuple[float, State]] = {}
        if self.name == "sqlite":
            sqlite_path(self._url, SETTING).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.engine: Engine = sqlite_engine(self._url, lock_timeout)
        else:
            self.engine = postgresql_engine(self._url, lock_timeout)
        self._insert: Any = sqlite.insert if self.name == "sqlite" else postgresql.insert

    def open(self, *, create: bool) -> None:
        """Checks that the database is this one's guard; fills it only for a database that has none yet."""
        with self.begin() as connection:
            if self.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            METADATA.create_all(connection)
            found = connection.scalar(select(OWNER.c.guard_id))
            if found is None and create:
                connection.execute(insert(OWNER).values(guard_id=self.guard_id))
                found = self.guard_id
        where = self._url.render_as_string(hide_password=True)
        if found is None:
            raise ConfigurationError(
                f"the guard of this database (id {self.guard_id}) is not at {where}. "
                "Set CONSENTLEDGER_GUARD to where it is: without it nobody can tell "
                "a restored database from a true one."
            )
        if found != self.guard_id:
            raise ConfigurationError(
                f"the guard at {where} belongs to another database (id {found})"
            )

    def state(self, origin: str) -> State:
        """Reads the log's row; a log without one is not known yet."""
        query = select(SIGNED.c.size, SIGNED.c.root, SIGNED.c.frozen).where(
            SIGNED.c.origin == origin
        )
        with self.begin() as connection:
            row = connection.execute(query).one_or_none()
        state = NOTHING
        if row is not None:
            size, root, frozen = row
            state = State(None if size is None else Signed(size, bytes(root)), frozen)
        self._kept[origin] = (time.monotonic(), state)
        return state

    def look(self, origin: str) -> State:
        """Reads at most once a second: appends must not wait for another machine each time."""
        now, kept = time.monotonic(), self._kept.get(origin)
        if kept is not None and now - kept[0] < self.fresh_seconds:
            return kept[1]
        return self.state(origin)

    def read(self, origin: str) -> Signed | None:
        """Returns what was last signed for `origin`, or None when nothing was."""
        return self.state(origin).signed

    def frozen(self, origin: str) -> str | None:
        """Returns why a log is frozen, or None."""
        return self.state(origin).frozen

    def swap(self, origin: str, expected: Signed | None, new: Signed) -> bool:
        """Writes `new` durably if the guard still holds `expected` and is not frozen; says whether it did."""
        values = {"size": new.size, "root": new.root}
        statement: Any
        if expected is None:
            statement = self._upsert(origin, values, SIGNED.c.size.is_(None))
        else:
            statement = update(SIGNED).values(values)
            statement = statement.where(
                SIGNED.c.origin == origin,
                SIGNED.c.size == expected.size,
                SIGNED.c.root == expected.root,
                SIGNED.c.frozen.is_(None),
            )
        return self._changed(statement)

    def freeze(self, origin: str, reason: str) -> bool:
        """Marks a log frozen, durably; the first reason stays. Says whether this call did it."""
        done = self._changed(self._upsert(origin, {"frozen": reason}))
        self._kept.pop(origin, None)
        return done

    def thaw(self, origin: str) -> None:
        """Takes the mark away."""
        self._changed(update(SIGNED).values(frozen=None).where(SIGNED.c.origin == origin))
        self._kept.pop(origin, None)

    def origins(self) -> list[str]:
        """Returns every log that the guard knows, sorted."""
        with self.begin() as connection:
            return list(connection.scalars(select(SIGNED.c.origin).order_by(SIGNED.c.origin)))

    def close(self) -> None:
        """Lets go of connections."""
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Opens a transaction of the guard's own, or goes on in the one that this thread has open.

        UnavailableError when its database can't be used.
        """
        held: Connection | None = getattr(self._held, "connection", None)
        if held is not None:
            yield held
            return
        with translated(), self.engine.begin() as connection:
            self._held.connection = connection
            try:
                yield connection
            finally:
                self._held.connection = None

    def _upsert(self, origin: str, values: dict[str, object], *where: Any) -> Any:
        made = self._insert(SIGNED).values(origin=origin, **values)
        condition = SIGNED.c.frozen.is_(None)
        for more in where:
            condition &= more
        return made.on_conflict_do_update(index_elements=["origin"], set_=values, where=condition)

    def _changed(self, statement: Any) -> bool:
        with self.begin() as connection:
            return connection.execute(statement.returning(SIGNED.c.origin)).first() is not None
