"""The auditor's rule: every leaf opens, or an erasure or a retention covers it; and so for every blob."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import strict
from consentledger.ledger.bundle import Bundle
from consentledger.ledger.leaf import check_blob
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

RULE = "auditor"
CLASSES = frozenset({"core", "technical", "copy"})
MAX_DAYS = 36_525
_RANGE = re.compile(r"(0|[1-9][0-9]{0,17})(?:-([1-9][0-9]{0,17}))?\Z", re.ASCII)
_PART = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one `log.erasure` covers: classes of openings, and ranges of earlier entries."""

    index: int
    classes: frozenset[str]
    ranges: tuple[tuple[int, int], ...]
    reason: str

    def covers(self, index: int, opening: str) -> bool:
        """Tells whether the opening of one class of one entry was erased by it."""
        return opening in self.classes and any(low <= index <= high for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class Retention:
    """What one `log.retention` excuses: one class of entries first <= index < size that had reached their age."""

    opening: str
    age: timedelta
    first: int
    size: int
    at: datetime

    def covers(self, entry: Entry, opening: str) -> bool:
        """Tells whether an entry had reached its age when this was appended."""
        if opening != self.opening or not self.first <= entry.index < self.size:
            return False
        at = entry.text("at")
        return at is not None and read_instant(at) + self.age <= self.at


def read_instant(text: str) -> datetime:
    """Reads an entry's time; anything else raises VerificationError."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise VerificationError(f"{text} is no instant", rule="time") from error


def read_retention(entry: Entry) -> Retention:
    """Reads a `log.retention` strictly; it may cover only entries before itself."""
    plain = entry.parsed.plain
    numbers = [strict.decimal(plain[n], rule=RULE, what=n) for n in ("days", "first", "size")]
    days, first, size = numbers
    if plain["class"] not in CLASSES or not first < size <= entry.index or days > MAX_DAYS:
        raise VerificationError("a retention names an unknown class or range", rule=RULE)
    at = read_instant(entry.need("at"))
    return Retention(plain["class"], timedelta(days=days), first, size, at)


def read_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Reads `3-5,9` as ascending, disjoint ranges; anything looser raises VerificationError."""
    if text == "none":  # of this part, only rows of permits went
        return ()
    ranges: list[tuple[int, int]] = []
    for part in text.split(","):
        match = _RANGE.match(part)
        if match is None:
            raise VerificationError("a range of an erasure is malformed", rule=RULE)
        low = strict.decimal(match[1], rule=RULE, what="a range")
        high = strict.decimal(match[2], rule=RULE, what="a range") if match[2] else low
        if (match[2] and high <= low) or (ranges and low <= ranges[-1][1]):
            raise VerificationError("the ranges of an erasure are out of order", rule=RULE)
        ranges.append((low, high))
    return tuple(ranges)


def read_erasure(entry: Entry) -> Erasure:
    """Reads a `log.erasure` strictly; it may cover only entries before itself."""
    plain = entry.parsed.plain
    classes = frozenset(plain["classes"].split(","))
    ranges = read_ranges(plain["ranges"])
    part = _PART.match(plain["part"])
    if not classes <= CLASSES or part is None or int(part[1]) > int(part[2]):
        raise VerificationError("an erasure names an unknown class or part", rule=RULE)
    if ranges and ranges[-1][1] >= entry.index:
        raise VerificationError("an erasure covers an entry after itself", rule=RULE)
    return Erasure(entry.index, classes, ranges, plain["reason"])


def erasures_of(entries: Sequence[Entry], report: Report) -> list[Erasure]:
    """Returns every erasure in the bundle."""
    found = []
    for entry in entries:
        if entry.kind.name == "log.erasure":
            with report.step(3, entry.file):
                found.append(read_erasure(entry))
    return found


def retentions_of(entries: Sequence[Entry], report: Report) -> list[Retention]:
    """Returns every retention in the bundle."""
    found = []
    for entry in entries:
        if entry.kind.name == "log.retention":
            with report.step(3, entry.file):
                found.append(read_retention(entry))
    return found


def check_coverage(
    bundle: Bundle, entries: Sequence[Entry], erasures: Sequence[Erasure], report: Report
) -> None:
    """Checks that what does not open was erased or had its time, and that blobs are exactly those committed."""
    erased, before = 0, report.failures
    retentions = retentions_of(entries, report)
    blobs: set[str] = set()
    for entry in entries:
        missing = {f.opening for f in entry.kind.fields if f.name not in entry.values}
        erased += bool(missing)
        for opening in sorted(missing):
            if any(erasure.covers(entry.index, opening) for erasure in erasures):
                continue
            with report.step(3, entry.file):
                if not any(retention.covers(entry, opening) for retention in retentions):
                    report.failed(3, _uncovered(entry, opening))
        for name in entry.kind.blobs:
            value = entry.values.get(name)
            if isinstance(value, list):
                with report.step(3, f"blobs/{value[1]}"):
                    _check_blob(bundle, entry, name, value, erasures, blobs)
    for path in bundle.paths("blobs"):
        if path not in blobs:
            report.failed(
                3, VerificationError("no entry commits to this file", rule="blob", file=path)
            )
    report.passed(
        3,
        f"The disclosures of {len(entries)} entries fit their commitments, and {len(blobs)} stored"
        f" texts their hashes; {erased} entries are erased, wholly or in part, and say so.",
        since=before,
    )


def _uncovered(entry: Entry, opening: str) -> VerificationError:
    names = [f.name for f in entry.kind.fields if f.name not in entry.values]
    return entry.wrong(
        f"{', '.join(names)} not disclosed, and no erasure or retention covers its {opening} opening",
        RULE,
    )


def _check_blob(
    bundle: Bundle,
    entry: Entry,
    name: str,
    value: list[object],
    erasures: Sequence[Erasure],
    seen: set[str],
) -> None:
    path = f"blobs/{value[1]}"
    if path in bundle:
        if path not in seen:
            seen.add(path)
            check_blob(value, bundle.read(path))  # type: ignore[arg-type]
    elif not any(erasure.covers(entry.index, "copy") for erasure in erasures):
        raise entry.wrong(f"the stored text of {name} is missing and was not erased", "blob")
