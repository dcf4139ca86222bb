"""How the message must look: one label at most, and the duties of what may go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from consentledger.law.deciding import duties as rules
from consentledger.law.deciding.judging import Finding
from consentledger.law.model import Duty, Facts, Reason


def label(found: Sequence[Finding]) -> tuple[list[Duty], list[Reason]]:
    """Returns the label that all packs accept as a duty, or the reasons that no one label can serve them all.

    Each law wants its own first in the subject, so labels are never stacked: two that share no spelling deny.
    """
    carry = [one for one in found if not one.against]
    asked = [(one.place, *told) for one in carry for told in rules.labels(one.place, one.basis)]
    if not asked:
        return [], []
    spellings = [(mark.value, *mark.alternatives) for _, _, mark in asked]
    shared = [word for word in spellings[0] if all(word in other for other in spellings[1:])]
    if not shared:
        return [], [place.reason("label_conflict", f"labels[{n}]") for place, n, _ in asked]
    place, number, _ = asked[0]
    return [place.duty("subject_label", shared[0], f"labels[{number}]")], []


def reopens(found: Sequence[Finding]) -> datetime | None:
    """Returns when the hours of a message open that nothing but the hour stands against, None otherwise."""
    if any(reason.code != "outside_hours" for one in found for reason in one.against):
        return None
    opens = [one.hour.changes_at for one in found if not one.hour.open]
    return None if None in opens else max((at for at in opens if at is not None), default=None)


def duties(one: Finding, facts: Facts) -> Iterator[Duty]:
    """Yields what one pack wants of a permitted message, but for its label."""
    return rules.of_marketing(one.place, facts, one.basis)
