"""One pack on one recipient as one kind of person: which basis carries, and whether the hour is right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consentledger.law import hours
from consentledger.law.basis import tries
from consentledger.law.model import Facts, Reason
from consentledger.law.place import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """What one pack says: `basis` and `rule` of what it was judged on; it carries when nothing is against it.

    `hour` is the state of the hours for that basis.
    """

    place: Place
    basis: str
    rule: str
    against: list[Reason]
    review: list[Reason]
    until: datetime | None
    hour: hours.Opening


def judge(place: Place, facts: Facts, person: str) -> Finding:
    """Returns the first basis that carries (else the first that a person may clear, else all that is against)."""
    tried = tries(place, facts, person, consent_only=place.message.message_class == "tracking")
    chosen = tried[-1]
    against: list[Reason] = []
    if chosen.against or chosen.review:
        chosen = next((one for one in tried if not one.against), chosen)
        if chosen.against:
            against = [reason for one in tried for reason in (*one.against, *one.review)]
    hour = _hour(place, person, chosen.basis)
    ends = [chosen.until]
    if hour.open:
        ends.append(hour.changes_at)
    else:
        against.append(_closed(place, hour))
    until = min((end for end in ends if end is not None), default=None)
    return Finding(place, chosen.basis, chosen.rule, against, chosen.review, until, hour)


def _hour(place: Place, person: str, basis: str) -> hours.Opening:
    if not place.pack.hours:
        return _ALWAYS
    found = place.hours.get((person, basis))
    if found is None:
        rules = hours.binding(place.pack.hours, place.channel, person, basis)
        found = place.hours[person, basis] = hours.at(rules, place.pack.calendar, place.at)
    return found


def _closed(place: Place, hour: hours.Opening) -> Reason:
    code, rule, source = place.reason("outside_hours", f"hours[{hour.rule}]")
    if hour.changes_at is None:
        return Reason(code, rule, source)
    return Reason(code, rule, f"{source}; opens at {hour.changes_at:%Y-%m-%dT%H:%M:%SZ}")


_ALWAYS = hours.Opening(True, None, None)
