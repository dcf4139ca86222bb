"""An end for one whole try over the network: every single wait may be short, and the whole still last for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Line = Callable[[], socket.socket | None]


class Deadline:
    """Cuts the watched connection when one whole try has lasted `seconds`; `passed` says that it did."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._line: Line | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._line = None

    def watch(self, line: Line) -> None:
        """Makes this the connection to cut, at once if the time is up; `line` is asked when it is."""
        self._line = line
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        self.passed = True
        line = self._line() if self._line is not None else None
        if line is not None:
            with contextlib.suppress(OSError):
                # The plain method: SSLSocket's own would swap its state under the reading thread.
                socket.socket.shutdown(line, socket.SHUT_RDWR)
