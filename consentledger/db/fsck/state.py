"""The state of a run over one or more logs, in a file outside the database, so that it can go on later."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consentledger.db.fsck.model import Position, Report
from consentledger.kernel.errors import ConflictError

FORMAT = "consentledger/fsck/v1"


@dataclass(slots=True)
class RunState:
    """What a run has done: finished reports, and the position in the log that it was at.

    The file holds hashes, numbers, table names and ids; no address, no key. Whoever may write it may also hide
    findings from a run that goes on: keep it as you keep the report itself.
    """

    openings: bool
    done: list[Report] = field(default_factory=list)
    current: Position | None = None

    def report_of(self, origin: str) -> Report | None:
        """Returns the finished report of a log, if this run has one."""
        return next((report for report in self.done if report.origin == origin), None)

    def finish(self, report: Report) -> None:
        """Notes that a log was walked to its end."""
        self.done.append(report)
        self.current = None

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all, readable by its owner only."""
        content = {
            "format": FORMAT,
            "openings": self.openings,
            "done": [report.as_json() for report in self.done],
            "current": self.current.as_json() if self.current else None,
        }
        fresh = path.with_name(path.name + ".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def load_state(path: Path, *, openings: bool) -> RunState:
    """Reads a state file; a new state when there is none, ConflictError when it is of another kind of run."""
    try:
        content: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return RunState(openings)
    except (OSError, ValueError) as error:
        raise ConflictError(f"{path} can't be read as the state of a run: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ConflictError(f"{path} is not the state of a run of `log fsck`")
    if content["openings"] is not openings:
        raise ConflictError(
            f"{path} is of a run {'with' if content['openings'] else 'without'} --openings: give the same options"
        )
    current = content["current"]
    return RunState(
        openings,
        [Report.from_json(report) for report in content["done"]],
        Position.from_json(current) if current else None,
    )
