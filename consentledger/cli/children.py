"""Child processes that are kept alive, drained on SIGTERM, and never outlive their parent.

The parent does no work of its own, so nothing in it can crash: it holds the listening sockets
(a child that dies leaves no refused connection behind) and starts again what was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

from consentledger.cli.errors import CONFIGURATION

PARENT = "CONSENTLEDGER_PARENT_PID"
DRAIN_SECONDS = 30.0
LOOK_SECONDS = 0.1
# A child that lived shorter than this is started again only after a pause, doubled each time.
SHORT_LIFE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0

_PR_SET_PDEATHSIG = 1
_log = structlog.get_logger("consentledger.serve")


@dataclass(frozen=True, slots=True)
class Child:
    """What to run: words after the interpreter, its environment, and file descriptors to pass on.

    What it prints goes where ours goes, or is appended to the file `log`.
    """

    name: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    descriptors: Sequence[int] = ()
    log: Path | None = None


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    pause: float = 0.0
    due: float | None = None


class Children:
    """Starts children and keeps them running until told to stop; use as a context manager."""

    def __init__(self, children: Sequence[Child], *, drain_seconds: float = DRAIN_SECONDS) -> None:
        self._children = children
        self._drain_seconds = drain_seconds
        self._running: list[_Running] = []
        self._stop = threading.Event()
        self._hurry = threading.Event()

    def __enter__(self) -> Children:
        self._running = [_Running(c, _spawn(c), time.monotonic()) for c in self._children]
        return self

    def __exit__(self, *_: object) -> None:
        self.drain()

    def pid(self, name: str) -> int:
        """Return the process id that the child of this name has now."""
        return next(r.process.pid for r in self._running if r.child.name == name)

    def ended(self) -> list[str]:
        """Return the names of children that are not running at this moment."""
        return [r.child.name for r in self._running if r.process.poll() is not None]

    def watch(self, until: Callable[[], bool] = lambda: False) -> int:
        """Restart what dies until a signal, `stop` or `until` ends it; return the exit code.

        A child that leaves with the code for wrong settings ends the whole: a restart can't help.
        """
        while not self._stop.wait(LOOK_SECONDS) and not until():
            for running in self._running:
                code = self._look_after(running)
                if code is not None:
                    return code
        return 0

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ask `watch` to end; asked twice, the drain ends too. May be used as a signal handler."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def drain(self) -> None:
        """Send SIGTERM to all, wait for them to finish their work, then SIGKILL what is left."""
        alive = [r for r in self._running if r.process.poll() is None]
        for running in alive:
            running.process.terminate()
        deadline = time.monotonic() + self._drain_seconds
        while any(r.process.poll() is None for r in alive):
            if time.monotonic() > deadline or self._hurry.is_set():
                for running in alive:
                    running.process.kill()
            time.sleep(0.02)
        self._running = []

    def _look_after(self, running: _Running) -> int | None:
        if running.due is not None:
            if time.monotonic() >= running.due:
                running.process = _spawn(running.child)
                running.started, running.due = time.monotonic(), None
            return None
        code = running.process.poll()
        if code is None:
            return None
        if code == CONFIGURATION:
            return code
        lived = time.monotonic() - running.started
        short = lived < SHORT_LIFE_SECONDS
        running.due = time.monotonic() + (running.pause if short else 0.0)
        running.pause = min(LONGEST_PAUSE_SECONDS, max(0.5, running.pause * 2)) if short else 0.0
        _log.warning("child ended, starting it again", child=running.child.name, code=code)
        return None


def _spawn(child: Child) -> subprocess.Popen[bytes]:
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(child.log.open("ab")) if child.log else None
        return subprocess.Popen(
            [sys.executable, *child.words],
            env={**child.environment, PARENT: str(os.getpid())},
            pass_fds=tuple(child.descriptors),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A session of its own: Ctrl-C at the terminal reaches the parent only, which drains.
            start_new_session=True,
        )


def die_with_parent() -> None:
    """Called by a child as its first act: when its parent is killed, it gets SIGTERM and drains."""
    expected = os.environ.pop(PARENT, None)
    if expected is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(expected):
        sys.exit(0)  # the parent died before we could ask to be told
