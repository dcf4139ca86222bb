"""What a log says about itself in the clear: which keys may sign, what was erased, what may be gone by its age."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.db.models import LogLeaf
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.ledger.leaf import ParsedLeaf, parse_leaf
from consentledger.ledger.note import Verifier

SYSTEM = b"consentledger/leaf/v1\nkind log."
CLASSES = ("core", "technical", "copy")
STILL_THERE = frozenset(("lost", "restricted"))
Range = tuple[int, int]


class Retention(NamedTuple):
    """Openings of one class may be gone `days` after their entry, for first <= index < size."""

    opening_class: str
    days: int
    first: int
    size: int


class Spans:
    """Merged, sorted ranges of indexes, both ends included; asked by bisection."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self.firsts: list[int] = []
        self.lasts: list[int] = []
        for first, last in sorted(ranges):
            if self.lasts and first <= self.lasts[-1] + 1:
                self.lasts[-1] = max(self.lasts[-1], last)
            else:
                self.firsts.append(first)
                self.lasts.append(last)

    def __contains__(self, index: int) -> bool:
        at = bisect_right(self.firsts, index) - 1
        return at >= 0 and index <= self.lasts[at]


class SystemEntries:
    """Everything that `log.*` entries of one log say; entries that do not parse are the tree's to find."""

    def __init__(self, session: Session, organisation_id: UUID) -> None:
        self.vkeys: set[str] = set()
        self.retentions: list[Retention] = []
        self.indexes: list[tuple[int, bytes]] = []
        self._permits: dict[int, list[Range]] = {}
        self._destroyed: list[Range] = []
        ranges: dict[str, list[Range]] = {name: [] for name in CLASSES}
        for index, leaf, parsed in _parsed(session, organisation_id):
            if parsed.kind_name == "log.index":
                self.indexes.append((index, leaf))
            try:
                self._read(parsed, ranges)
            except (KeyError, ValueError):
                continue  # a plain line that is none of ours excuses nothing
        # Of the erased entries those of which nothing is to be left, unlike what was lost or is kept for claims.
        self.destroyed = Spans(self._destroyed)
        self._erased = {name: Spans(found) for name, found in ranges.items()}
        self.permits = {index: Spans(found) for index, found in self._permits.items()}

    def verifiers(self, more: Iterable[Verifier]) -> list[Verifier]:
        """Returns every key that the log names, and `more`."""
        found = {verifier.vkey: verifier for verifier in more}
        for vkey in self.vkeys - found.keys():
            try:
                found[vkey] = Verifier.from_vkey(vkey)
            except ConsentLedgerError:
                continue
        return list(found.values())

    def erased(self, index: int, opening_class: str = "core") -> bool:
        """Says whether a log.erasure covers this class of an entry."""
        return index in self._erased[opening_class]

    def excused(self, index: int, opening_class: str, at: datetime, now: datetime) -> bool:
        """Says whether the absence of an opening is covered: erased, or past the age of its retention."""
        return self.erased(index, opening_class) or any(
            rule.opening_class == opening_class
            and rule.first <= index < rule.size
            and at + timedelta(days=rule.days) <= now
            for rule in self.retentions
        )

    def _read(self, parsed: ParsedLeaf, ranges: dict[str, list[Range]]) -> None:
        plain = parsed.plain
        if parsed.kind_name in ("log.genesis", "log.key"):
            self.vkeys.add(plain["log_key"])
        elif parsed.kind_name == "log.erasure":
            for name in plain["classes"].split(","):
                ranges[name] += _ranges(plain["ranges"])
            if plain["reason"] not in STILL_THERE:
                self._destroyed += _ranges(plain["ranges"])
            for index, span in _permit_ranges(plain.get("permits", "none")):
                self._permits.setdefault(index, []).append(span)
        elif parsed.kind_name == "log.retention":
            numbers = (int(plain[name]) for name in ("days", "first", "size"))
            self.retentions.append(Retention(plain["class"], *numbers))


def _parsed(session: Session, organisation_id: UUID) -> Iterator[tuple[int, bytes, ParsedLeaf]]:
    rows = session.execute(
        select(LogLeaf.entry_index, LogLeaf.leaf)
        .where(LogLeaf.organisation_id == organisation_id)
        .where(func.substr(LogLeaf.leaf, 1, len(SYSTEM)) == SYSTEM)
        .order_by(LogLeaf.entry_index)
        .execution_options(yield_per=500)
    )
    for index, leaf in rows:
        try:
            yield index, bytes(leaf), parse_leaf(bytes(leaf))
        except (ConsentLedgerError, TypeError):
            continue


def _ranges(text: str) -> Iterator[Range]:
    if text == "none":
        return
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)


def _permit_ranges(text: str) -> Iterator[tuple[int, Range]]:
    """Reads `index:first-last` parts; further ranges of the same batch may follow without its index."""
    if text == "none":
        return
    index = -1
    for part in text.split(","):
        head, colon, rest = part.rpartition(":")
        if colon:
            index = int(head)
        yield from ((index, span) for span in _ranges(rest))
