"""Turns the drivers' errors into ours: what can't be written now is UnavailableError, and says why."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consentledger.kernel.errors import UnavailableError

# SQLSTATE classes and codes that pass, or that only an operator can mend: the caller may try again.
_PASSING = ("08", "53", "57", "58", "25006", "40001", "40P01", "55P03")


@contextmanager
def translated() -> Iterator[None]:
    """Raises UnavailableError for a database that is locked, read-only, full or gone; other errors pass."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("the database has no free connection") from error
    except DBAPIError as error:
        if unavailable(error):
            raise UnavailableError(f"the database can't be used now: {_reason(error)}") from error
        raise


def unavailable(error: DBAPIError) -> bool:
    """Says whether the database, not the statement, is at fault."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return str(state).startswith(_PASSING)
    if isinstance(error.orig, sqlite3.Error):
        return isinstance(error.orig, sqlite3.OperationalError) and "syntax" not in str(error.orig)
    return isinstance(error, OperationalError | InterfaceError)


def _reason(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
