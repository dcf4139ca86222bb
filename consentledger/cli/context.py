"""What most commands start from: the settings, and the database they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from consentledger.db.engine import Database
from consentledger.kernel.settings import Settings


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """Open the database of the settings until the block ends."""
    database = Database(settings.database_url, lock_timeout=settings.lock_timeout_seconds)
    try:
        yield database
    finally:
        database.close()
