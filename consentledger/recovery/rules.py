"""What is to be done about a log, from its head, the guard and the entries at hand: pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from consentledger.db.guard import Signed

SHOWN = 5


class Case(Enum):
    """How a head stands to what was signed."""

    AGREES = "agrees"
    BEHIND = "behind"
    FORKED = "forked"


def case_of(head: Signed, signed: Signed | None, *, extends: bool) -> Case:
    """Tells the case; `extends` says whether a longer tree was proved consistent with what was signed."""
    if signed is None or head == signed:
        return Case.AGREES
    if head.size < signed.size:
        return Case.BEHIND
    return Case.AGREES if head.size > signed.size and extends else Case.FORKED


def found(case: Case, head: Signed, signed: Signed | None) -> str:
    """Says what was found."""
    if case is Case.BEHIND and signed is not None:
        missing = signed.size - head.size
        return (
            f"The database has {head.size} entries, {signed.size} were signed: it was restored or truncated, "
            f"and {missing} are missing."
        )
    if case is Case.FORKED and signed is not None:
        return (
            f"The database was forked: its {head.size} entries are not those of which {signed.size} were signed. "
            "Somebody appended to a restored copy, or changed entries by hand."
        )
    return f"The database agrees with the guard: {head.size} entries."


def way_out(case: Case) -> str:
    """Says what to do when the entries at hand do not suffice."""
    if case is Case.FORKED:
        return (
            "Entries cannot be replayed upon a fork. Put back a backup from before it and run this again with "
            "--entries, or go on with what is here under a new origin: --new-origin."
        )
    return (
        "Give what you have with --entries: files of `consentledger log export`, and bundles. If they can't be had, "
        "go on under a new origin: --new-origin."
    )


def gaps(indexes: Iterable[int]) -> str:
    """Writes missing indexes as a few ranges."""
    ranges: list[list[int]] = []
    for index in indexes:
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    shown = [f"{low}" if low == high else f"{low} to {high}" for low, high in ranges[:SHOWN]]
    more = f" and {len(ranges) - SHOWN} more ranges" if len(ranges) > SHOWN else ""
    return ", ".join(shown) + more
