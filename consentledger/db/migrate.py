"""Brings the schema up to date by Alembic, under a lock with a timeout; nothing else makes tables."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from consentledger.db.engine import Database
from consentledger.kernel.data import data_dir
from consentledger.kernel.errors import ConfigurationError

LOCK = 0x636F6E73656E746C  # "consentl": the one advisory lock, for migrations only


def upgrade(database: Database, revision: str = "head") -> None:
    """Runs every missing migration in one transaction; UnavailableError when the lock can't be had in time."""
    with database.begin() as tx:
        _run(tx.connection, database, "upgrade", revision)


def downgrade(database: Database, revision: str) -> None:
    """Undoes migrations down to `revision` ("base" for all); for development."""
    with database.begin() as tx:
        _run(tx.connection, database, "downgrade", revision)


def head_revision() -> str | None:
    """Returns the newest revision that this version of the software knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(database: Database) -> str | None:
    """Returns the database's revision, or None when it is empty."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def require_current(database: Database) -> None:
    """Raises ConfigurationError, saying what to run, unless the schema is this version's."""
    current, head = current_revision(database), head_revision()
    if current != head:
        raise ConfigurationError(
            f"the database's schema is {current or 'empty'}, this version needs {head}: "
            "run `consentledger db upgrade`"
        )


def _run(connection: Connection, database: Database, verb: str, revision: str) -> None:
    if database.name == "postgresql":
        # Bounded by the engine's lock_timeout; freed with the transaction.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    config = _config()
    config.attributes["connection"] = connection
    getattr(command, verb)(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(data_dir("migrations")))
    return config
