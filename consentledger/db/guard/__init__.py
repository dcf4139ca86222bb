"""The guard: what was last signed, kept outside the database's backup set, moved on by compare-and-swap.

A restored, truncated or forked database contradicts it, so nothing of that kind is signed, and nothing is appended
to it. For one host a folder of small files, for several hosts a SQL database of its own.
"""

from __future__ import annotations

from pathlib import Path

from consentledger.db.guard.file import FileGuard
from consentledger.db.guard.model import Guard, Signed, State
from consentledger.db.guard.sql import SqlGuard

__all__ = ["FileGuard", "Guard", "Signed", "SqlGuard", "State", "is_address", "open_guard"]


def is_address(text: str) -> bool:
    """Says whether CONSENTLEDGER_GUARD names a database rather than a folder."""
    return "://" in text


def open_guard(
    where: str | None, guard_id: str, *, create: bool, default: Path, lock_timeout: float = 10.0
) -> Guard:
    """Opens the guard of one database: a folder, the address of a database, or None for the `default` folder.

    ConfigurationError when it belongs to another database, or is not there and may not be made (`create`).
    """
    guard: Guard
    if where and is_address(where):
        guard = SqlGuard(where, guard_id, lock_timeout=lock_timeout)
    else:
        guard = FileGuard(Path(where) if where else default, guard_id)
    try:
        guard.open(create=create)
    except BaseException:
        guard.close()
        raise
    return guard
