"""Brings the schema up to date by Alembic, under a lock with a timeout; nothing else makes tables.

A key store of its own has a line of its own in migrations/keystore; `upgrade` brings both up to date.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from consentledger.db.engine import Database
from consentledger.db.keystore.database import KeyDatabase
from consentledger.kernel.data import data_dir
from consentledger.kernel.errors import ConfigurationError

KEYSTORE = "migrations/keystore"
LOCK = 0x636F6E73656E746C  # "consentl": the one advisory lock, for migrations only


def upgrade(database: Database, revision: str = "head") -> None:
    """Runs every missing migration in one transaction; UnavailableError when the lock can't be had in time.

    A key store of its own comes first, to its newest revision, in a transaction of its own.
    """
    store = database.log.keystore.database
    if store is not None:
        with store.write() as connection:
            _run(connection, "upgrade", "head", KEYSTORE)
    with database.begin() as tx:
        _run(tx.connection, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Undoes migrations down to `revision` ("base" for all); for development."""
    with database.begin() as tx:
        _run(tx.connection, "downgrade", revision)


def head_revision(line: str = "migrations") -> str | None:
    """Returns the newest revision that this version of the software knows."""
    return ScriptDirectory.from_config(_config(line)).get_current_head()


def current_revision(database: Database) -> str | None:
    """Returns the database's revision, or None when it is empty."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def keystore_revision(store: KeyDatabase) -> str | None:
    """Returns the revision of a key store of its own, or None when it is empty."""
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(database: Database) -> None:
    """Raises ConfigurationError, saying what to run, unless both schemas are this version's."""
    _require("database", current_revision(database), head_revision())
    store = database.log.keystore.database
    if store is not None:
        _require("key store", keystore_revision(store), head_revision(KEYSTORE))


def _require(what: str, current: str | None, head: str | None) -> None:
    if current != head:
        raise ConfigurationError(
            f"the {what}'s schema is {current or 'empty'}, this version needs {head}: "
            "run `consentledger db upgrade`"
        )


def _run(connection: Connection, verb: str, revision: str, line: str = "migrations") -> None:
    if connection.dialect.name == "postgresql":
        # Bounded by the engine's lock_timeout; freed with the transaction.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    config = _config(line)
    config.attributes["connection"] = connection
    getattr(command, verb)(config, revision)


def _config(line: str = "migrations") -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_dir(line)))
    return config
