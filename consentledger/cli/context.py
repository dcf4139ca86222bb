"""What most commands start from: the installation or the database that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from consentledger.db.engine import Database
from consentledger.db.installation import Installation, open_database, open_installation
from consentledger.kernel.settings import Settings


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings, whatever its schema, until the block ends."""
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_installation(settings: Settings) -> Iterator[Installation]:
    """Open the installation, its schema and guard checked, until the block ends."""
    installation = open_installation(settings)
    try:
        yield installation
    finally:
        installation.database.close()
        installation.guard.close()
