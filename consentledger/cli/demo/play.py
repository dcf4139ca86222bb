"""How a played path is told: one line per step with what was checked, and the first failure ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from consentledger.cli.demo.world import DemoError

Found = TypeVar("Found")


def check(holds: object, what: str) -> None:
    """Raise DemoError unless `holds`; `what` says what should have been."""
    if not holds:
        raise DemoError(f"this did not hold: {what}")


def eventually(look: Callable[[], Found | None], what: str, *, seconds: float = 30) -> Found:
    """Return what `look` finds as soon as it finds something; DemoError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"this did not happen within {seconds:.0f} seconds: {what}")
        time.sleep(0.05)


class Story:
    """Numbers the steps and prints a line for each when it is over."""

    def __init__(self) -> None:
        self._number = 0
        self._began = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Run one step; the block adds to the yielded list what it checked."""
        self._number += 1
        checked: list[str] = []
        mark = click.style("✗", fg="red")
        try:
            yield checked
            mark = click.style("✓", fg="green")
        finally:
            click.echo(f"{mark} {self._number:>2}. {title}: {'; '.join(checked) or 'failed'}")

    def end(self) -> None:
        """Print the last line of a path that held."""
        seconds = time.monotonic() - self._began
        click.echo(f"\nAll {self._number} steps held, in {seconds:.1f} s.")
