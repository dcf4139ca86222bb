"""What fsck reports, what it is asked to look at, and how far a run came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from consentledger.kernel.errors import ConflictError, ConsentLedgerError
from consentledger.ledger.merkle import Frontier

BLOCK = 4_096
MOST_FINDINGS = 10_000
Progress = Callable[[int, int], None]
Phase = Literal["tree", "openings", "contacts", "state"]


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
    contacts: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.findings

    def add(self, where: str, message: str) -> None:
        """Notes one finding; behind the first 10,000 they are only counted, so that memory stays flat."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(where, message))
        else:
            self.more += 1

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "origin": self.origin,
            "size": self.size,
            "checkpoints": self.checkpoints,
            "openings": self.openings,
            "contacts": self.contacts,
            "more": self.more,
            "findings": [{"where": one.where, "message": one.message} for one in self.findings],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Report:
        """Reads what `as_json` made."""
        findings = [Finding(one["where"], one["message"]) for one in value["findings"]]
        return cls(**{**value, "findings": findings})


@dataclass(frozen=True, slots=True)
class Stop:
    """A tree size at which somebody claimed a root; `check` is given the derived one."""

    size: int
    check: Callable[[bytes], None]


@dataclass(slots=True)
class Position:
    """How far a run of one log came: all that it needs to go on from there.

    `after` is the last index that was read in the tree, `checked` the last published size that was held against
    it; `opened` the last index whose openings were looked at, `contact` the last contact that was replayed.
    """

    report: Report
    phase: Phase = "tree"
    after: int = -1
    checked: int = -1
    opened: int = -1
    contact: UUID | None = None
    entries: int = 0
    frontier: Frontier = field(default_factory=Frontier.empty)

    def as_json(self) -> dict[str, Any]:
        """The position as a state file keeps it; it names no person."""
        return {
            "report": self.report.as_json(),
            "phase": self.phase,
            "after": self.after,
            "checked": self.checked,
            "opened": self.opened,
            "contact": str(self.contact) if self.contact else None,
            "entries": self.entries,
            "tree_size": self.frontier.size,
            "frontier": self.frontier.to_bytes().hex(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Position:
        """Reads what `as_json` made; ConflictError when it is none."""
        try:
            return cls(
                report=Report.from_json(value["report"]),
                phase=value["phase"],
                after=int(value["after"]),
                checked=int(value["checked"]),
                opened=int(value["opened"]),
                contact=UUID(value["contact"]) if value["contact"] else None,
                entries=int(value["entries"]),
                frontier=Frontier.from_bytes(
                    int(value["tree_size"]), bytes.fromhex(value["frontier"])
                ),
            )
        except (KeyError, TypeError, ValueError, ConsentLedgerError) as error:
            raise ConflictError(f"this is no position of a run: {error}") from error


class PausedError(ConsentLedgerError):
    """A run was asked to stop between two blocks; `position` is where it goes on."""

    code = "paused"

    def __init__(self, position: Position) -> None:
        super().__init__("paused")
        self.position = position


Step = Callable[[Position, int, int], None]
"""`step(position, done, total)` at the end of every block; it may keep the position, or raise PausedError."""
