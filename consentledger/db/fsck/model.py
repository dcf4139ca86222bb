"""What fsck reports, and what it is asked to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

BLOCK = 4_096
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where (table and key), and what is wrong with it."""

    where: str
    message: str


@dataclass(slots=True)
class Report:
    """What was checked of one log, and everything that was found wrong."""

    origin: str
    size: int
    checkpoints: int = 0
    openings: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.findings

    def add(self, where: str, message: str) -> None:
        """Notes one finding."""
        self.findings.append(Finding(where, message))


@dataclass(frozen=True, slots=True)
class Stop:
    """A tree size at which somebody claimed a root; `check` is given the derived one."""

    size: int
    check: Callable[[bytes], None]
