"""Which entries an erasure covers, and how a log.erasure writes them: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

EVERYTHING = "core,technical,copy"
# A leaf holds at most 65,535 bytes: so many ranges, of at most 40 characters each, are sure to fit.
MAX_RANGES = 1500


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes of one contact: these requests and entries, or with `whole` everything.

    `entries` is how many entries the contact had when this was planned: with more, it is alive again.
    """

    contact_id: UUID
    whole: bool
    entries: int
    indexes: tuple[int, ...]
    request_ids: tuple[UUID, ...]

    def as_json(self) -> dict[str, Any]:
        """The plan as an outbox row carries it."""
        return {
            "contact": str(self.contact_id),
            "whole": self.whole,
            "entries": self.entries,
            "indexes": list(self.indexes),
            "requests": [str(one) for one in self.request_ids],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Plan:
        """Reads what `as_json` made."""
        return cls(
            UUID(value["contact"]),
            bool(value["whole"]),
            int(value["entries"]),
            tuple(value["indexes"]),
            tuple(UUID(one) for one in value["requests"]),
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


def parts_of(ranges: Sequence[str]) -> list[dict[str, str]]:
    """Returns the plain lines of the log.erasure entries that these ranges need."""
    chunks = [ranges[i : i + MAX_RANGES] for i in range(0, len(ranges), MAX_RANGES)]
    return [
        {
            "classes": EVERYTHING,
            "part": f"{number}/{len(chunks)}",
            "permits": "none",
            "ranges": ",".join(chunk),
            "reason": "expired",
        }
        for number, chunk in enumerate(chunks, 1)
    ]
