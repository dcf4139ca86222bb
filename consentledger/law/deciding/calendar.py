"""Calendar arithmetic as the laws count: months backward, the first day in or out, zones, business days.

Days are dates of a place's own calendar. Counting back over months keeps the day's number, or takes the month's last
day where it has none such (Interpretation Act (Canada) s. 28; Regulation 1182/71 art. 3(2)(c)).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from consentledger.law.pack import Calendar, Unsubscribe

# How far ahead a verdict looks for the end of what it rests on: more than any permit lives.
HORIZON_DAYS = 3


def shift_months(day: date, months: int) -> date:
    """Returns the day `months` later (earlier if negative) with the same number, or that month's last day.

    Never leaves the calendar: what would lie before year 1 or after 9999 is its first or last day.
    """
    total = day.year * 12 + day.month - 1 + months
    if total < 12:
        return date.min
    if total >= 120_000:
        return date.max
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def earliest(
    day: date, count: int, unit: str, *, first_day_counts: bool, calendar: Calendar
) -> date:
    """Returns the first day of a period of `count` `unit`s that is counted backward from `day` and ends with it.

    `first_day_counts`: `day` itself is day one, so the period reaches back a day less.
    """
    if unit == "business_days":
        # Day one is `day` itself, if that is a business day, or the one before it.
        counted = first_day_counts and is_business_day(day, calendar)
        return _business_days_back(day, count - counted, calendar)
    months = {"months": 1, "years": 12}.get(unit)
    back = _shift_days(day, -count) if months is None else shift_months(day, -count * months)
    return _shift_days(back, 1) if first_day_counts else back


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Tells whether a day is neither on the weekend nor a public holiday of this calendar."""
    return _WEEK[day.weekday()] not in calendar.weekend and day not in calendar.holidays


def knows_holidays(day: date, calendar: Calendar) -> bool:
    """Tells whether the calendar says which days around `day` are public holidays."""
    start, end = calendar.holidays_from, calendar.holidays_until
    return start is not None and end is not None and start <= day < end


def weekday(day: date) -> str:
    """Returns the day's word, `mon` to `sun`."""
    return _WEEK[day.weekday()]


def local_day(at: datetime, zones: Sequence[str]) -> date:
    """Returns the latest date that it is anywhere in these zones: the one by which ages are oldest."""
    return max(at.astimezone(zone(name)).date() for name in zones)


def earliest_day(at: datetime, zones: Sequence[str]) -> date:
    """Returns the earliest date that it is anywhere in these zones."""
    return min(at.astimezone(zone(name)).date() for name in zones)


def beginning(day: date, zones: Sequence[str]) -> datetime:
    """Returns the instant (UTC) at which `day` begins in the first of these zones that it reaches."""
    return min(instant(day, time.min, name) for name in zones)


def instant(day: date, clock: time, zone_name: str) -> datetime:
    """Returns the instant (UTC) of a wall clock's time in a zone; the earlier of two, and after a gap its end."""
    return datetime.combine(day, clock, zone(zone_name)).astimezone(UTC)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Returns a zone by its IANA name; packs name only zones that exist."""
    return ZoneInfo(name)


def deadline(received: datetime, rule: Unsubscribe, calendar: Calendar) -> datetime:
    """Returns the instant by which a stop that was `received` must be honoured: the end of the last day.

    `calendar` is the one that the rule says counts (`rule.calendar`: the recipient's or the sender's). Zero days:
    at once. Days are counted forward from the day of receipt, which is itself day one where `first_day_counts` (a
    weekend or holiday is no business day one). With several zones, the zone where that day ends first decides.
    Holidays that the calendar does not know are business days: so a deadline is never late.
    """
    if rule.days == 0:
        return received
    today = earliest_day(received, calendar.zones)
    left, last = rule.days, today
    if not rule.first_day_counts:
        last = _shift_days(last, 1)
    while True:
        if rule.unit == "days" or is_business_day(last, calendar):
            left -= 1
        if left <= 0 or last == date.max:
            break
        last = _shift_days(last, 1)
    return beginning(_shift_days(last, 1), calendar.zones)


def _business_days_back(day: date, count: int, calendar: Calendar) -> date:
    left, found = count, day
    while left > 0 and found > date.min:
        found = _shift_days(found, -1)
        if is_business_day(found, calendar):
            left -= 1
    return found


def _shift_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.min if days < 0 else date.max


_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
