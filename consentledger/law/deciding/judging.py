"""One pack on one recipient as one kind of person: which basis carries, and whether the hour is right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from consentledger.law.deciding import hours
from consentledger.law.deciding.basis import Try, tries
from consentledger.law.deciding.place import Place
from consentledger.law.model import Facts, Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """What one pack says: `basis` and `rule` of what it was judged on; it carries when nothing is against it.

    `hour` is the state of the hours for that basis. `instead` is the consent that a person may clear, where the
    message could go on another basis too: a form that only that other basis asks for may decide between them.
    """

    place: Place
    basis: str
    rule: str
    against: list[Reason]
    review: list[Reason]
    until: datetime | None
    hour: hours.Opening
    instead: Finding | None = None


def judge(place: Place, facts: Facts, person: str) -> Finding:
    """Returns the first basis that carries (else the first that a person may clear, else all that is against)."""
    tried = tries(place, facts, person, consent_only=place.message.message_class == "tracking")
    found = [_with_hour(place, person, one) for one in tried]
    last = found[-1]
    if not last.against and not last.review:
        consent = found[0]
        if consent.review and not consent.against:
            return replace(last, instead=consent)
        return last
    cleared = next((one for one in found if not one.against), None)
    if cleared is not None:  # another basis may carry as soon as its hours open
        opens = [one.hour.changes_at for one in found if not one.hour.open]
        ends = [end for end in (cleared.until, *opens) if end is not None]
        return replace(cleared, until=min(ends, default=None))
    against = [reason for one in found for reason in (*one.against, *one.review)]
    # The hour is last, and the message's own: that of the first basis that nothing else stands against.
    best = next((one for one, told in zip(found, tried, strict=True) if not told.against), last)
    hour = [reason for reason in against if reason.code == "outside_hours"]
    others = [reason for reason in against if reason.code != "outside_hours"]
    return replace(best, against=[*others, *hour], review=[])


def _with_hour(place: Place, person: str, told: Try) -> Finding:
    hour = _hour(place, person, told.basis)
    if hour.open:
        ends = [end for end in (told.until, hour.changes_at) if end is not None]
        until = min(ends, default=None)
        return Finding(place, told.basis, told.rule, told.against, told.review, until, hour)
    against = [*told.against, _closed(place, hour)]
    return Finding(place, told.basis, told.rule, against, told.review, told.until, hour)


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
