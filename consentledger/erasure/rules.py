"""Which entries an erasure covers, how a log.erasure writes them, and what is kept how long: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from consentledger.kernel.errors import InputError

EVERYTHING = "core,technical,copy"
# A leaf holds at most 65,535 bytes: so many ranges, of at most 40 characters each, are sure to fit.
MAX_RANGES = 1500
# A request waits so long for others, so that its log.erasure does not show which indexes belong together.
COLLECT_AFTER = timedelta(hours=1)
# What becomes of an erasure, in order; `held` waits for a legal hold, `restricted` for its date.
STATES = ("requested", "held", "logged", "destroyed", "restricted", "ended")
WAITING = ("requested", "held")
# Why it is asked for: GDPR art. 17(1)(a) to (f).
GROUNDS = MappingProxyType(
    {
        "no_longer_needed": "no longer needed for what it was collected for (a)",
        "withdrawn": "the person withdrew consent (b)",
        "objected": "the person objected (c)",
        "unlawful": "it was collected or used unlawfully (d)",
        "law": "the law demands it (e)",
        "child": "it was collected from a child (f)",
    }
)
DEFAULT_RETENTION_DAYS = 3 * 365
MAX_DAYS = 30 * 365
TECHNICAL_DAYS = 90
MIN_RETENTION = timedelta(days=90)
Permits = tuple[tuple[int, int, int], ...]
"""(index of the batch's entry, batch, row) of each"""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long one class of openings of one kind is kept (`*`: of every kind), from when, and what ends it.

    `days` is a number, or the name of an organisation's own setting.
    """

    kind: str
    opening_class: str
    days: str
    since: str
    ended_by: str


RETENTION = (
    Kept("*", "technical", str(TECHNICAL_DAYS), "the entry", "log.retention"),
    Kept("consent.requested", "core, copy", "request_days", "the request, if never confirmed", "log.erasure, expired"),
    Kept("consent.declined", "core, copy", "90", "the request", "log.erasure, expired"),
    Kept("objection.recorded", "core", "7", "a stop typed in on /stop, alone", "log.erasure, expired"),
    Kept("*", "core, copy", "retention_days", "the contact's last act, if no consent stands", "log.erasure, retention"),
    Kept("permits.issued", "salt, contact", "retention_days", "the same, with its contact", "log.erasure, retention"),
    Kept("message.sent", "salt, contact, hashes", "retention_days", "the same", "log.erasure, retention"),
    Kept("*", "core, copy", "keep_for_claims_days", "an erasure, shut until then", "log.erasure, ended"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes of one contact: these requests, entries and permits, or with `whole` everything.

    `entries` is how many entries the contact had when this was planned: with more, it is alive again.
    `erasure_id` names the person's own erasure; `restricted` ones keep their openings, shut.
    """

    contact_id: UUID
    whole: bool
    entries: int
    indexes: tuple[int, ...]
    request_ids: tuple[UUID, ...]
    permits: Permits = ()
    erasure_id: UUID | None = None
    restricted: bool = False

    def as_json(self) -> dict[str, Any]:
        """The plan as an outbox row carries it."""
        return {
            "contact": str(self.contact_id),
            "whole": self.whole,
            "entries": self.entries,
            "indexes": list(self.indexes),
            "requests": [str(one) for one in self.request_ids],
            "permits": [list(one) for one in self.permits],
            "erasure": str(self.erasure_id) if self.erasure_id else None,
            "restricted": self.restricted,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Reads what `as_json` made, or what the first version did."""
        erasure = value.get("erasure")
        return cls(
            UUID(value["contact"]),
            bool(value["whole"]),
            int(value["entries"]),
            tuple(value["indexes"]),
            tuple(UUID(one) for one in value["requests"]),
            tuple((index, batch, row) for index, batch, row in value.get("permits", ())),
            UUID(erasure) if erasure else None,
            bool(value.get("restricted", False)),
        )


def ranges_of(indexes: Iterable[int]) -> list[str]:
    """Returns indexes as ascending, disjoint ranges: 3, 4, 5, 9 gives `3-5` and `9`."""
    ranges: list[list[int]] = []
    for index in sorted(set(indexes)):
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return [str(low) if low == high else f"{low}-{high}" for low, high in ranges]


def permit_ranges_of(permits: Iterable[tuple[int, int, int]]) -> list[str]:
    """Returns rows of permits as `index:first-last`, sorted; each names the index of its batch's entry."""
    rows: dict[int, list[int]] = {}
    for index, _, row in permits:
        rows.setdefault(index, []).append(row)
    return [f"{index}:{span}" for index in sorted(rows) for span in ranges_of(rows[index])]


def parts_of(
    ranges: Sequence[str], permits: Sequence[str] = (), *, reason: str = "expired"
) -> list[dict[str, str]]:
    """Returns the plain lines of the log.erasure entries that these ranges need."""
    pieces = [("ranges", one) for one in ranges] + [("permits", one) for one in permits]
    chunks = [pieces[i : i + MAX_RANGES] for i in range(0, len(pieces), MAX_RANGES)]
    return [
        {
            "classes": EVERYTHING,
            "part": f"{number}/{len(chunks)}",
            "permits": _joined(chunk, "permits"),
            "ranges": _joined(chunk, "ranges"),
            "reason": reason,
        }
        for number, chunk in enumerate(chunks, 1)
    ]


def _joined(pieces: Sequence[tuple[str, str]], name: str) -> str:
    return ",".join(text for kind, text in pieces if kind == name) or "none"


def check_ground(ground: str) -> None:
    """Refuses a ground that art. 17 does not know; InputError names the field."""
    if ground not in GROUNDS:
        raise InputError(f"ground: one of {', '.join(GROUNDS)}", field="ground", reason="unknown")


def check_days(days: int, name: str, least: int) -> None:
    """Refuses a number of days out of range; InputError names the field."""
    if not least <= days <= MAX_DAYS:
        raise InputError(f"{name}: {least} to {MAX_DAYS} days", field=name, reason="range")


def check_text(text: str, name: str, longest: int = 300) -> str:
    """Returns a line of text without blanks around it; InputError names the field."""
    line = " ".join(text.split())
    if not line or len(line) > longest or not line.isprintable():
        raise InputError(f"{name}: 1 to {longest} characters", field=name, reason="length")
    return line
