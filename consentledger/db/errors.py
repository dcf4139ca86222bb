"""Turns the drivers' errors into ours: what can't be written now is UnavailableError, and says why."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consentledger.kernel.errors import UnavailableError

# SQLSTATE classes and codes that pass, or that only an operator can mend: the caller may try again.
_PASSING = ("08", "53", "57", "58", "25006", "40001", "40P01", "55P03")


def _driver_errors() -> tuple[type[Exception], ...]:
    # psycopg comes with the extra `postgres`; the log's hot path talks to both drivers directly.
    if find_spec("psycopg") is None:
        return (sqlite3.Error,)
    return (sqlite3.Error, import_module("psycopg").Error)


DRIVER_ERRORS = _driver_errors()


@contextmanager
def translated() -> Iterator[None]:
    """Raises UnavailableError for a database that is locked, read-only, full or gone; other errors pass."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("the database has no free connection") from error
    except DBAPIError as error:
        if error.connection_invalidated or unavailable(error.orig):
            raise UnavailableError(_sentence(error.orig)) from error
        raise
    except DRIVER_ERRORS as error:
        if unavailable(error):
            raise UnavailableError(_sentence(error)) from error
        raise


def unavailable(error: BaseException | None) -> bool:
    """Says whether the database, not the statement, is at fault."""
    state = getattr(error, "sqlstate", None)
    if state:
        return str(state).startswith(_PASSING)
    if isinstance(error, sqlite3.Error):
        return isinstance(error, sqlite3.OperationalError) and not _is_mistake(str(error))
    return type(error).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")


def _is_mistake(text: str) -> bool:
    return any(word in text for word in ("syntax error", "no such table", "no such column"))


def _sentence(error: BaseException | None) -> str:
    lines = str(error).splitlines()
    return f"the database can't be used now: {lines[0] if lines else type(error).__name__}"
