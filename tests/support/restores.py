"""Backups of a whole database, and putting them back under a running installation, on either engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from consentledger.db.engine import Database


@contextmanager
def backup(database: Database, name: str = "backup") -> Iterator[Backup]:
    """Take a backup of the database as it is now; forget it at the end."""
    taken = Backup(database, name)
    taken.take()
    try:
        yield taken
    finally:
        taken.forget()


class Backup:
    """One moment of a database: a file's copy on SQLite, a database made from it on PostgreSQL."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = str(database.url.database)
        self._kept = f"{self._name}_{name}"

    def take(self) -> None:
        """Keep what is committed now."""
        if self._database.name == "sqlite":
            with self._database.autocommit() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            self._database.close()
            shutil.copyfile(self._name, self._kept)
        else:
            self._database.close()
            self._run(f"CREATE DATABASE {self._kept} TEMPLATE {self._name} STRATEGY file_copy")

    def restore(self) -> None:
        """Put it in the database's place, as an operator would: the installation goes on upon it."""
        self._database.close()
        if self._database.name == "sqlite":
            for end in ("-wal", "-shm"):
                Path(self._name + end).unlink(missing_ok=True)
            shutil.copyfile(self._kept, self._name)
        else:
            self._run(f"DROP DATABASE {self._name} WITH (FORCE)")
            self._run(f"CREATE DATABASE {self._name} TEMPLATE {self._kept} STRATEGY file_copy")

    def forget(self) -> None:
        """Throw the backup away."""
        if self._database.name == "postgresql":
            self._run(f"DROP DATABASE IF EXISTS {self._kept} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        url = self._database.url.set(database="postgres")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()
