"""Calendar arithmetic with answers worked out by hand: leap days, ends of months, zones, clocks that are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from consentledger.law.deciding.calendar import (
    beginning,
    deadline,
    earliest,
    earliest_day,
    instant,
    local_day,
    shift_months,
)
from consentledger.law.deciding.hours import at as hours_at
from consentledger.law.deciding.hours import binding
from consentledger.law.pack import WEEKDAYS, Calendar, Hours, Unsubscribe


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


PLAIN = Calendar(zones=("UTC",))
WEST = Calendar(zones=("America/Los_Angeles",))
# Christmas 2026 in Germany: Thursday is no holiday, Friday and Saturday are.
GERMAN = Calendar(
    zones=("Europe/Berlin",),
    holidays=(date(2026, 12, 25), date(2026, 12, 26)),
    holidays_from=date(2026, 1, 1),
    holidays_until=date(2027, 1, 1),
)


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [
        (date(2026, 11, 21), -24, date(2024, 11, 21)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2028, 3, 31), -1, date(2028, 2, 29)),
        (date(2028, 2, 29), -12, date(2027, 2, 28)),
        (date(2028, 2, 29), -48, date(2024, 2, 29)),
        (date(2026, 8, 31), -6, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(3, 1, 1), -240, date.min),
        (date(9998, 1, 1), 240, date.max),
    ],
)
def test_months_keep_the_days_number_or_take_the_months_last(
    day: date, months: int, wanted: date
) -> None:
    assert shift_months(day, months) == wanted


@pytest.mark.parametrize(
    ("day", "count", "unit", "first", "wanted"),
    [
        # Canada, CASL s. 10(10): two years before the day of sending, that day not counted.
        (date(2026, 11, 21), 2, "years", False, date(2024, 11, 21)),
        (date(2028, 2, 29), 2, "years", False, date(2026, 2, 28)),
        # A period that the day of sending is part of reaches back a day less.
        (date(2026, 11, 21), 6, "months", True, date(2026, 5, 22)),
        (date(2026, 11, 21), 6, "months", False, date(2026, 5, 21)),
        (date(2026, 8, 31), 6, "months", False, date(2026, 2, 28)),
        (date(2026, 3, 1), 1, "days", False, date(2026, 2, 28)),
        (date(2026, 3, 1), 1, "days", True, date(2026, 3, 1)),
        # Monday 23 November 2026: five business days are the week from Monday to Friday before.
        (date(2026, 11, 23), 5, "business_days", False, date(2026, 11, 16)),
        (date(2026, 11, 23), 5, "business_days", True, date(2026, 11, 17)),
        # Counted from a Sunday, that Sunday is no business day one.
        (date(2026, 11, 22), 5, "business_days", True, date(2026, 11, 16)),
    ],
)
def test_periods_are_counted_backward(
    day: date, count: int, unit: str, first: bool, wanted: date
) -> None:
    assert earliest(day, count, unit, first_day_counts=first, calendar=PLAIN) == wanted


def test_the_first_day_that_carries_never_moves_back() -> None:
    for unit in ("days", "months", "years", "business_days"):
        for first in (False, True):
            days = [date.fromordinal(date(2027, 12, 1).toordinal() + n) for n in range(200)]
            firsts = [
                earliest(day, 3, unit, first_day_counts=first, calendar=GERMAN) for day in days
            ]
            assert firsts == sorted(firsts)


def test_the_day_is_the_latest_that_it_is_anywhere() -> None:
    at = utc(2026, 11, 21, 11)
    zones = ("America/St_Johns", "Pacific/Auckland")
    assert local_day(at, zones) == date(2026, 11, 22)
    assert earliest_day(at, zones) == date(2026, 11, 21)
    # Midnight comes first to Auckland, 13 hours ahead in summer.
    assert beginning(date(2026, 11, 23), zones) == utc(2026, 11, 22, 11)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "wanted"),
    [
        # Winter, summer, the hour that does not exist, the hour that comes twice.
        (date(2026, 1, 1), time(9), "Europe/Berlin", utc(2026, 1, 1, 8)),
        (date(2026, 7, 1), time(9), "Europe/Berlin", utc(2026, 7, 1, 7)),
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", utc(2026, 3, 29, 1, 30)),
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", utc(2026, 10, 25, 0, 30)),
        # Egypt changes the clock at midnight: the last Friday of April 2026 begins at 01:00.
        (date(2026, 4, 24), time.min, "Africa/Cairo", utc(2026, 4, 23, 22)),
    ],
)  # fmt: skip
def test_a_wall_clock_is_an_instant(day: date, clock: time, zone: str, wanted: datetime) -> None:
    assert instant(day, clock, zone) == wanted


def rule(days: int, unit: str, *, first: bool = False) -> Unsubscribe:
    return Unsubscribe("as told", ("x",), days=days, unit=unit, first_day_counts=first)


@pytest.mark.parametrize(
    ("received", "told", "calendar", "wanted"),
    [
        # At once is at once.
        (utc(2026, 12, 23, 10), rule(0, "days"), GERMAN, utc(2026, 12, 23, 10)),
        # Two days from Wednesday end with Friday, holiday or not, at midnight in Berlin.
        (utc(2026, 12, 23, 10), rule(2, "days"), GERMAN, utc(2026, 12, 25, 23)),
        # Two business days: Thursday, and (past holiday and weekend) Monday the 28th.
        (utc(2026, 12, 23, 10), rule(2, "business_days"), GERMAN, utc(2026, 12, 28, 23)),
        # Australia, Spam Act Sch. 2 cl. 6: five business days that begin on the day itself.
        (utc(2026, 11, 23, 10), rule(5, "business_days", first=True), PLAIN, utc(2026, 11, 28)),
        (utc(2026, 11, 20, 10), rule(5, "business_days", first=True), PLAIN, utc(2026, 11, 27)),
        # Received on a Saturday, day one is Monday either way.
        (utc(2026, 11, 21, 10), rule(1, "business_days", first=True), PLAIN, utc(2026, 11, 24)),
        (utc(2026, 11, 21, 10), rule(1, "business_days"), PLAIN, utc(2026, 11, 24)),
        # Received on Saturday evening in Los Angeles, which is Sunday in Greenwich.
        (utc(2026, 11, 22, 3), rule(1, "days"), WEST, utc(2026, 11, 23, 8)),
    ],
)  # fmt: skip
def test_a_stop_has_a_last_instant(
    received: datetime, told: Unsubscribe, calendar: Calendar, wanted: datetime
) -> None:
    assert deadline(received, told, calendar) == wanted


def hours(days: tuple[str, ...], opens: str, closes: str, **more: bool) -> Hours:
    return Hours("as told", ("x",), ("sms",), days, opens, closes, **more)


WORKING = hours(WEEKDAYS[:5], "08:00", "20:00")
SATURDAY = hours(("sat",), "09:00", "13:00")


@pytest.mark.parametrize(
    ("now", "calendar", "is_open", "changes"),
    [
        # Thursday noon in Berlin: until 20:00; then closed until Monday, past two holidays and a Sunday.
        (utc(2026, 12, 24, 11), GERMAN, True, utc(2026, 12, 24, 19)),
        (utc(2026, 12, 24, 19), GERMAN, False, utc(2026, 12, 28, 7)),
        # A Saturday that is none: nine to one, and the end is no longer open.
        (utc(2026, 11, 21, 8), GERMAN, True, utc(2026, 11, 21, 12)),
        (utc(2026, 11, 21, 12), GERMAN, False, utc(2026, 11, 23, 7)),
        # Over the change to summer time on 29 March 2026: Monday's eight o'clock comes an hour sooner.
        (utc(2026, 3, 28, 13), GERMAN, False, utc(2026, 3, 30, 6)),
        # Where nobody knows the holidays, each day may be one, and holidays are closed here.
        (utc(2026, 11, 24, 11), PLAIN, False, None),
    ],
)  # fmt: skip
def test_hours_are_open_until_they_close(
    now: datetime, calendar: Calendar, is_open: bool, changes: datetime | None
) -> None:
    found = hours_at(binding((WORKING, SATURDAY), "sms", "natural", "opt_out"), calendar, now)
    assert (found.open, found.changes_at) == (is_open, changes)


def test_hours_must_be_open_in_every_zone() -> None:
    daily = hours(WEEKDAYS, "08:00", "21:00")
    america = Calendar(zones=("America/New_York", "America/Los_Angeles"))
    rules = binding((daily,), "sms", "natural", "consent")
    # 08:00 in Los Angeles is 16:00 UTC, and New York closes at 02:00 UTC.
    opened = hours_at(rules, america, utc(2026, 11, 24, 16))
    assert (opened.open, opened.changes_at) == (True, utc(2026, 11, 25, 2))
    closed = hours_at(rules, america, utc(2026, 11, 24, 15, 59))
    assert (closed.open, closed.changes_at) == (False, utc(2026, 11, 24, 16))


def test_hours_bind_their_channel_and_not_what_consent_overrides() -> None:
    told = (hours(WEEKDAYS, "08:00", "21:00", consent_overrides=True),)
    assert binding(told, "sms", "natural", "opt_out") == ((0, told[0]),)
    assert binding(told, "sms", "natural", "consent") == ()
    assert binding(told, "email", "natural", "opt_out") == ()
    night = utc(2026, 11, 24, 3)
    assert hours_at((), PLAIN, night).open


def test_the_day_on_which_a_clock_is_changed_is_seen_by_the_quarter() -> None:
    # Open from half past two; on 25 October 2026 that half hour comes twice in Berlin, with a closed one between.
    early = (hours(WEEKDAYS, "02:30", "24:00"),)
    rules = binding(early, "sms", "natural", "consent")
    first = hours_at(rules, GERMAN, utc(2026, 10, 25, 0, 40))
    assert (first.open, first.changes_at) == (True, utc(2026, 10, 25, 1))
    between = hours_at(rules, GERMAN, utc(2026, 10, 25, 1, 10))
    assert (between.open, between.changes_at) == (False, utc(2026, 10, 25, 1, 30))
