"""What a message is held against, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from consentledger.organisations.facts import SenderIdentity
from consentledger.permits.rules import MEANING

OUTCOMES = ("pass", "fail", "warn", "skip")
# Where each kind of finding has its rule from.
IDENTITY = "Directive 2002/58/EC art. 13(4)"
ADDRESS = "Directive 2002/58/EC art. 13(4); Directive 2000/31/EC art. 5"
ONE_CLICK = "RFC 8058 section 3.1"
LIST_HEADER = "RFC 2369 section 2"
SIGNATURE = "RFC 8058 section 4; RFC 6376 section 5.4"
FORMAT = "RFC 5322 sections 2 and 3.6"


class Finding(NamedTuple):
    """One thing that was looked at: `what` was found, `where`, by which `rule`, and how to `mend` it.

    `check` is a machine word, `outcome` one of OUTCOMES: a `fail` must be mended before the message goes out, a
    `warn` should be looked at, a `skip` says why something could not be checked.
    """

    check: str
    outcome: str
    what: str
    where: str
    rule: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class DutyHeld:
    """One duty of the permit: machine word, prescribed value if there is one, and the rule it comes from."""

    code: str
    value: str | None
    rule: str


@dataclass(frozen=True, slots=True)
class PermitHeld:
    """The permit that the message's own link names, as this installation knows it."""

    permit: str
    state: str
    recipient: bool | None
    """Whether the message's recipient is the permit's; None when neither can be told."""
    channel: str
    valid_until: datetime | None
    duties: tuple[DutyHeld, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the message is held against: its permit (None: no link of ours), and the identity that was published."""

    identity: SenderIdentity | None
    permit: PermitHeld | None


@dataclass(frozen=True, slots=True)
class Checked:
    """All findings about one message, in the order of looking."""

    findings: tuple[Finding, ...]
    permit: str | None
    sender: str | None

    @property
    def ready(self) -> bool:
        """Tells whether nothing failed."""
        return not any(one.outcome == "fail" for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The result as one JSON object, the same by API and command."""
        return {
            "ready": self.ready,
            "permit": self.permit,
            "sender": self.sender,
            "findings": [one._asdict() for one in self.findings],
            "meaning": MEANING,
        }


def failed(check: str, what: str, where: str, rule: str, mend: str) -> Finding:
    """A finding that must be mended."""
    return Finding(check, "fail", what, where, rule, mend)


def warned(check: str, what: str, where: str, rule: str, mend: str) -> Finding:
    """A finding that should be looked at."""
    return Finding(check, "warn", what, where, rule, mend)


def passed(check: str, what: str, where: str, rule: str) -> Finding:
    """A finding that all is well."""
    return Finding(check, "pass", what, where, rule)


def skipped(check: str, what: str, where: str, rule: str, mend: str = "") -> Finding:
    """A finding that something could not be checked, and why."""
    return Finding(check, "skip", what, where, rule, mend)
