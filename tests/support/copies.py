"""Copies of a whole database, as a backup would be, and putting one in its place."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support.databases import PostgresDatabases


class Copies:
    """Copies of databases of one engine; on PostgreSQL nobody may be connected to what is copied."""

    def __init__(self, folder: Path, postgres: PostgresDatabases | None) -> None:
        self._folder, self._postgres = folder, postgres
        self._stack = contextlib.ExitStack()
        self._numbers = itertools.count()

    def take(self, url: str) -> str:
        """Returns the address of a copy that stays until `close`."""
        return self._stack.enter_context(self.copied(url))

    @contextlib.contextmanager
    def copied(self, url: str) -> Iterator[str]:
        """Yields the address of a copy that goes with the block."""
        if self._postgres is not None:
            with self._postgres.copy_of(url) as address:
                yield address
            return
        target = self._folder / f"copy{next(self._numbers)}.db"
        with (
            contextlib.closing(sqlite3.connect(str(make_url(url).database))) as old,
            contextlib.closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
        yield f"sqlite:///{target}"
        for file in self._folder.glob(f"{target.name}*"):
            file.unlink()

    def close(self) -> None:
        """Drops every copy."""
        self._stack.close()
