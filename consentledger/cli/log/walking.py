"""How a long walk shows where it is: a bar with rate and time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

EVERY_SECONDS = 10.0


class Rate(ProgressColumn):
    """Entries per second."""

    def render(self, task: Task) -> Text:
        """Shows the rate of the last moments."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


class Walking:
    """One long walk: call `show` after each block, with what is being done and how far it came."""

    def __init__(self, what: str, bar: Progress | None) -> None:
        self._what, self._bar = what, bar
        self._task = bar.add_task(what, total=None) if bar else None
        self._phase = ""
        self._began = self._told = time.monotonic()
        self._first = 0

    def show(self, phase: str, done: int, total: int) -> bool:
        """Shows the progress; True about every ten seconds, when it is also time to keep it."""
        at = time.monotonic()
        if phase != self._phase:
            self._phase, self._began, self._first = phase, at, done
            if self._bar and self._task is not None:
                self._bar.reset(self._task, description=phase)
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
        if at - self._told < EVERY_SECONDS:
            return False
        self._told = at
        if self._bar is None:
            rate = (done - self._first) / (at - self._began) if at > self._began else 0.0
            left = f", {(total - done) / rate:,.0f} s left" if rate else ""
            click.echo(
                f"{self._what}: {phase}: {done:,} of {total:,}, {rate:,.0f}/s{left}", err=True
            )
        return True


@contextmanager
def walking(what: str) -> Iterator[Walking]:
    """Shows a walk on stderr until the block ends."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Walking(what, None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        yield Walking(what, bar)
