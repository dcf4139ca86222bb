"""What verifying found, in plain sentences, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from consentledger.kernel.errors import VerificationError

VALID, INVALID, UNUSABLE, SELF_CONSISTENT = 0, 1, 2, 3
MAX_FAILURES = 200
"""Past so many failures the rest adds nothing: checking goes on, listing stops."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one of the six steps; `kind` is passed, failed or noted."""

    step: int
    kind: str
    text: str
    file: str | None = None
    rule: str | None = None

    def sentence(self) -> str:
        """Returns the finding as one line for people."""
        mark = {"passed": "ok  ", "failed": "FAIL", "noted": "note"}[self.kind]
        where = f"{self.file}: " if self.file else ""
        rule = f" (rule {self.rule})" if self.rule else ""
        return f"{mark} step {self.step}: {where}{self.text}{rule}"


@dataclass(slots=True)
class Report:
    """Everything that was checked; valid only if nothing failed and the policy came from outside."""

    outside_policy: bool
    findings: list[Finding] = field(default_factory=list)
    failures: int = 0
    entries: int = 0
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    """By contact id: each consent as `<sender> <purpose> <channel>` with its replayed state."""

    def passed(self, step: int, text: str, *, since: int | None = None) -> None:
        """Adds a sentence about what held, unless there are more failures than `since`."""
        if since is None or self.failures == since:
            self.findings.append(Finding(step, "passed", text))

    def noted(self, step: int, text: str) -> None:
        """Adds a sentence about what was not shown, though nothing contradicts it."""
        self.findings.append(Finding(step, "noted", text))

    def failed(self, step: int, error: VerificationError, file: str | None = None) -> None:
        """Adds a failure with its file and rule."""
        self.failures += 1
        if self.failures <= MAX_FAILURES:
            self.findings.append(
                Finding(step, "failed", str(error), error.file or file, error.rule)
            )

    def all_failed(self, step: int, errors: Iterable[VerificationError]) -> None:
        """Adds several failures."""
        for error in errors:
            self.failed(step, error)

    @contextmanager
    def step(self, step: int, file: str | None = None) -> Iterator[None]:
        """Turns a VerificationError raised inside into a failure of this step and file."""
        try:
            yield
        except VerificationError as error:
            self.failed(step, error, file)

    @property
    def exit_code(self) -> int:
        """0 valid under a policy from outside, 1 invalid, 3 only consistent with itself."""
        if self.failures:
            return INVALID
        return VALID if self.outside_policy else SELF_CONSISTENT

    @property
    def ok(self) -> bool:
        """Tells whether nothing failed."""
        return self.failures == 0

    def verdict(self) -> str:
        """Returns the last line: what all of it means."""
        if self.failures:
            return f"INVALID: {self.failures} check(s) failed."
        if self.outside_policy:
            return "VALID: every check held, under the policy you gave."
        return (
            "CONSISTENT WITH ITSELF ONLY: every check held, but the log's key came from the bundle."
            " Get the policy from somewhere else and give it with --policy."
        )

    def text(self) -> str:
        """Returns all sentences, one per line, the verdict last."""
        lines = [finding.sentence() for finding in self.findings]
        if self.failures > MAX_FAILURES:
            lines.append(f"… and {self.failures - MAX_FAILURES} more failures")
        return "\n".join([*lines, self.verdict()]) + "\n"
