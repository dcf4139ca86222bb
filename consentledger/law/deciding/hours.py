"""When marketing may be sent: open or closed at an instant, when that ends, and when it opens next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from consentledger.law.deciding import calendar as calendars
from consentledger.law.pack import Calendar, Hours

# Over the longest run of closed days that a pack is likely to tell; then "next opening" is not told.
LOOK_AHEAD_DAYS = 15
_MIDNIGHT = "24:00"


class Opening(NamedTuple):
    """The state at an instant: `changes_at` is when it next changes (UTC), None when that is far off."""

    open: bool
    changes_at: datetime | None
    rule: int | None


def at(rules: Sequence[tuple[int, Hours]], place: Calendar, now: datetime) -> Opening:
    """Returns whether hours are open at `now` in all zones of a place; without rules they always are.

    `rules` are the sections that hold for a message, with their numbers; the first one's names the reason.
    """
    if not rules:
        return Opening(True, None, None)
    hours = [rule for _, rule in rules]
    state = _is_open(hours, place, now)
    for moment in _boundaries(hours, place, now):
        if _is_open(hours, place, moment) is not state:
            return Opening(state, moment, rules[0][0])
    return Opening(state, None, rules[0][0])


def binding(
    rules: Sequence[Hours], channel: str, person: str, basis: str
) -> tuple[tuple[int, Hours], ...]:
    """Returns the sections that hold for a message on this channel and basis, with their numbers.

    Sections add up, so those that consent overrides are left out only where all are: else a message on consent would
    have fewer hours than one without.
    """
    found = tuple(
        (number, rule)
        for number, rule in enumerate(rules)
        if channel in rule.channels and person in rule.persons
    )
    overridden = basis == "consent" and all(rule.consent_overrides for _, rule in found)
    return () if overridden else found


def _is_open(rules: Sequence[Hours], place: Calendar, now: datetime) -> bool:
    return all(_is_open_in(rules, place, now, name) for name in place.zones)


def _is_open_in(rules: Sequence[Hours], place: Calendar, now: datetime, zone: str) -> bool:
    local = now.astimezone(calendars.zone(zone))
    clock = f"{local.hour:02}:{local.minute:02}"
    return all(
        any(day in rule.days and rule.opens <= clock < rule.closes for rule in rules)
        for day in _words(local.date(), place)
    )


def _words(day: date, place: Calendar) -> tuple[str, ...]:
    """Returns the day's word; both readings where nobody knows whether it is a holiday."""
    if day in place.holidays:
        return ("holiday",)
    weekday = calendars.weekday(day)
    return (weekday,) if calendars.knows_holidays(day, place) else (weekday, "holiday")


def _boundaries(rules: Sequence[Hours], place: Calendar, now: datetime) -> list[datetime]:
    """Returns the instants after `now` at which a state may change, in order."""
    found: set[datetime] = set()
    for name in place.zones:
        start = now.astimezone(calendars.zone(name)).date()
        for ahead in range(LOOK_AHEAD_DAYS):
            found.update(_of_day(rules, start + timedelta(days=ahead), name))
    return sorted(moment for moment in found if moment > now)


def _of_day(rules: Sequence[Hours], day: date, zone: str) -> Iterator[datetime]:
    begins = calendars.instant(day, time.min, zone)
    yield begins
    for rule in rules:
        for clock in (rule.opens, rule.closes):
            if clock != _MIDNIGHT:  # the next day's beginning
                yield calendars.instant(day, time.fromisoformat(clock), zone)
    ends = calendars.instant(day + timedelta(days=1), time.min, zone)
    if ends - begins != timedelta(
        days=1
    ):  # the clock is changed on this day: look at every quarter
        for quarter in range(1, int((ends - begins) / _QUARTER)):
            yield begins + quarter * _QUARTER


_QUARTER = timedelta(minutes=15)
