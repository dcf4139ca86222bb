"""The journal's lines in a table of the guard's database, for several hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import delete, insert, select

from consentledger.db.guard.sql import JOURNAL, SqlGuard


class SqlLines:
    """Lines in the table guard_journal; whoever writes holds one lock on it, and commits with it."""

    def __init__(self, guard: SqlGuard) -> None:
        self._guard = guard

    def append(self, line: bytes) -> None:
        """Writes a line; it is durable when the lock is let go."""
        with self._guard.begin() as connection:
            connection.execute(insert(JOURNAL).values(line=line))

    def read(self) -> Iterator[bytes]:
        """Yields every line in order."""
        with self._guard.begin() as connection:
            lines = connection.scalars(select(JOURNAL.c.line).order_by(JOURNAL.c.n)).all()
        yield from (bytes(line) for line in lines)

    def replace(self, lines: Iterable[bytes]) -> None:
        """Deletes all and writes these, in the lock's transaction."""
        kept = [{"line": line} for line in lines]
        with self._guard.begin() as connection:
            connection.execute(delete(JOURNAL))
            if kept:
                connection.execute(insert(JOURNAL), kept)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Opens a transaction that keeps other writers out, and commits at the end; what the guard is asked
        meanwhile is asked in it."""
        with self._guard.begin() as connection:
            if self._guard.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE guard_journal IN EXCLUSIVE MODE")
            yield
