"""The journal: what must not be lost while the log is frozen, or with a restored database; outside of it.

Stops that were said while the log was frozen, and erasures that a restore would undo. One sealed record per line,
in a file beside the guard, or in a table of a guard that is a database itself.
"""

from __future__ import annotations

from pathlib import Path

from consentledger.db.guard import FileGuard, Guard, SqlGuard
from consentledger.db.journal.file import FileLines
from consentledger.db.journal.model import Journal, Record
from consentledger.db.journal.sql import SqlLines
from consentledger.kernel.settings import Settings

__all__ = ["Journal", "Record", "open_journal"]


def open_journal(settings: Settings, guard: Guard) -> Journal:
    """Returns the installation's journal: at CONSENTLEDGER_JOURNAL, else beside the guard. Makes nothing yet."""
    keys = settings.secrets.master_keys
    if settings.journal is None and isinstance(guard, SqlGuard):
        return Journal(SqlLines(guard), keys)
    folder = guard.folder if isinstance(guard, FileGuard) else Path()
    return Journal(FileLines(settings.journal or folder / "journal"), keys)
