"""A copy of a SQLite database while it is in use: one moment of it, whole on the disk or not there."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from consentledger.kernel.errors import ConfigurationError, ConflictError, UnavailableError
from consentledger.kernel.files import sync_folder

PAGES = 1_000  # copied between two calls of `progress`
# What file systems without hard links say: sticks, some network shares.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class LogCopied:
    """One log in a copy: where it stands is how far a restore of this copy would go back."""

    origin: str
    size: int


@dataclass(frozen=True, slots=True)
class Copied:
    """A finished copy; `logs` is empty for a key store's."""

    octets: int
    logs: tuple[LogCopied, ...]


def copy_sqlite(source: Path, target: Path, progress: Callable[[int, int], None]) -> Copied:
    """Copies the database `source` to the new file `target`, mode 0600; writers go on meanwhile.

    `progress` is told pages done and in all. ConflictError when `target` is there already: an older
    backup is never overwritten. UnavailableError when the disk is full or the source can't be read.
    """
    if not source.is_file():
        raise ConfigurationError(f"There is no database at {source}.")
    if target.exists():
        raise ConflictError(f"{target} is there already, and a backup is never overwritten.")
    with _draft_of(target) as draft:
        try:
            _copy(source, draft, progress)
            logs = _logs(draft)
        except sqlite3.Error as error:
            raise UnavailableError(f"{source} can't be copied: {error}") from error
    return Copied(target.stat().st_size, logs)


def _copy(source: Path, draft: Path, progress: Callable[[int, int], None]) -> None:
    with closing(_open(source, "rw")) as read, closing(_open(draft, "rw")) as written:
        # One snapshot: else a busy writer makes SQLite begin anew again and again.
        read.execute("BEGIN")
        read.execute("SELECT count(*) FROM sqlite_master").fetchone()
        read.backup(
            written,
            pages=PAGES,
            progress=lambda _status, left, total: progress(total - left, total),
            sleep=0,
        )
        read.execute("ROLLBACK")
        # A single file, without a write-ahead log beside it; the service turns that on again.
        written.execute("PRAGMA journal_mode=DELETE")


def _logs(draft: Path) -> tuple[LogCopied, ...]:
    """Reads the copy's heads; also shows that it is a database that opens."""
    with closing(_open(draft, "ro")) as copy:
        tables = "SELECT count(*) FROM sqlite_master WHERE name = 'log_head'"
        if not copy.execute(tables).fetchone()[0]:
            return ()
        rows = copy.execute("SELECT origin, size FROM log_head ORDER BY origin").fetchall()
    return tuple(LogCopied(*row) for row in rows)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    # rw, never rwc: a wrong path must not make an empty database.
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None
    )


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """Yields a new file beside `target`, of mode 0600, that gets its name when the block ends well."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        raise ConfigurationError(f"Cannot write {target}: {error.strerror}.") from error
    try:
        yield draft
        _sync(draft)
        _name(draft, target)
    except FileExistsError as error:
        raise ConflictError(f"{target} is there already.") from error
    except OSError as error:
        raise UnavailableError(f"Cannot write {target}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _name(draft: Path, target: Path) -> None:
    try:
        os.link(draft, target)  # unlike a rename, this fails if the name was taken meanwhile
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError from error
        os.rename(draft, target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
