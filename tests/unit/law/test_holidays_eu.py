"""The public holidays that decisions in Europe count, against the calendar's own rules."""

from __future__ import annotations

from datetime import date, timedelta

from consentledger.law.reading import packs

# Days that are fixed; Code du travail art. L3133-1.
FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
# Days from Easter Sunday: Easter Monday, Ascension Day, Whit Monday.
MOVABLE = (1, 39, 50)
# Good Friday and St Stephen's Day, in Alsace and Moselle only; L3134-13.
ALSACE_MOVABLE, ALSACE_FIXED = -2, (12, 26)


def _easter(year: int) -> date:
    """Easter Sunday by Gauss's rule as Meeus states it (Gregorian calendar)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    n = (h - m + r + 90) // 25
    return date(year, n, (h - m + r + n + 19) % 32)


def test_easter_is_when_it_was() -> None:
    assert [_easter(year) for year in (2024, 2025, 2026)] == [
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
    ]


def test_french_holidays_are_those_of_the_labour_code() -> None:
    calendar = packs.pack("FR@1").calendar
    expected = set()
    for year in (2026, 2027):
        expected |= {date(year, *day) for day in (*FIXED, ALSACE_FIXED)}
        easter = _easter(year)
        expected |= {easter + timedelta(days=days) for days in (*MOVABLE, ALSACE_MOVABLE)}
    assert set(calendar.holidays) == expected
    assert (calendar.holidays_from, calendar.holidays_until) == (
        date(2026, 1, 1),
        date(2028, 1, 1),
    )
