"""The journal's lines in a file of mode 0600: flock among processes, file and folder synced, a torn end mended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import structlog

from consentledger.kernel.errors import UnavailableError
from consentledger.kernel.files import sync_folder

_log = structlog.get_logger(__name__)


class FileLines:
    """Lines in the file `path`; its lock is a file beside it, since the file itself may be replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = Lock()

    def append(self, line: bytes) -> None:
        """Writes a line and waits for the disk; what a crash left torn at the end is cut off first."""
        with _unavailable(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                whole = _whole(file.fileno())
                end = file.seek(0, os.SEEK_END)
                if whole != end:
                    _log.warning("journal mended", path=str(self.path), bytes_cut=end - whole)
                    file.truncate(whole)
                try:
                    file.seek(whole)
                    file.write(line + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(
                        file.fileno(), whole
                    )  # a full disk: nobody was told that it is kept
                    raise
            sync_folder(self.path.parent)

    def read(self) -> Iterator[bytes]:
        """Yields every whole line; a torn last one was never acknowledged, and only warned of."""
        try:
            with open(self.path, "rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line[:-1]
                    else:
                        _log.warning("journal ends in a torn line", path=str(self.path))
        except FileNotFoundError:
            return

    def replace(self, lines: Iterable[bytes]) -> None:
        """Writes another file and puts it in this one's place."""
        temporary = self.path.with_name(self.path.name + ".new")
        with _unavailable(self.path):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for line in lines:
                    file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
            sync_folder(self.path.parent)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks among threads, then among processes; the kernel lets go of a dead holder's lock."""
        with self._threads:
            with _unavailable(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                name = self.path.with_name(self.path.name + ".lock")
                descriptor = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)


@contextmanager
def _unavailable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"the journal {path} can't be written: {error.strerror}") from error


def _whole(descriptor: int) -> int:
    """Returns where the last whole line ends."""
    end, step = os.fstat(descriptor).st_size, 4096
    while end > 0:
        start = max(0, end - step)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
