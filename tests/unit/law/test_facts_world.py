"""What the packs beyond Europe say of deadlines and of other things that no verdict shows, as their sources have it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from operator import attrgetter

import pytest

from consentledger.law.deciding.calendar import deadline
from consentledger.law.reading import packs

# Pack, a stop's receipt, the end of the last day to honour it (UTC), and why.
DEADLINES = [
    # Spam Act 2003 Sch. 2 cl. 6: five business days beginning on the day of sending; Sydney is UTC+11 then.
    ("AU", (2026, 11, 27, 2), (2026, 12, 3, 13), "a Friday is day one, the next Thursday day five"),
    (
        "AU",
        (2026, 11, 28, 2),
        (2026, 12, 4, 13),
        "a Saturday is no business day: Monday is day one",
    ),
    ("AU", (2026, 12, 24, 2), (2026, 12, 31, 13), "Christmas does not count"),
    # 16 CFR 316.5, CASL s. 11(3): ten business days; New York is UTC-5, St. John's UTC-3:30.
    ("US", (2026, 11, 24, 17), (2026, 12, 10, 5), "Thanksgiving does not count"),
    ("US", (2026, 12, 23, 17), (2027, 1, 9, 5), "nor do Christmas and New Year's Day"),
    ("CA", (2026, 12, 22, 17), (2027, 1, 8, 3, 30), "over Christmas and New Year's Day"),
    # UEMA 2007 s. 9(2): five working days; the Chatham Islands are UTC+13:45.
    (
        "NZ",
        (2026, 12, 22, 12),
        (2027, 1, 5, 10, 15),
        "25 and 28 December, 1 and 4 January do not count",
    ),
    # UEMO s. 10: ten working days; a Saturday is one, a general holiday is not.
    (
        "HK",
        (2026, 12, 24, 3),
        (2027, 1, 8, 16),
        "Saturday 2 January counts, Saturday 26 December does not",
    ),
    # Spam Control Act Second Schedule: ten business days.
    ("SG", (2026, 11, 6, 3), (2026, 11, 23, 16), "Deepavali on a Sunday moves to Monday"),
    # Act 6563 art. 9: three business days.
    ("TR", (2026, 10, 28, 9), (2026, 11, 3, 21), "Republic Day does not count"),
    ("BR", (2026, 11, 19, 15), (2026, 11, 25, 2), "20 November does not count"),
    ("MX", (2026, 11, 13, 18), (2026, 11, 24, 5), "Revolution Day does not count"),
    ("GB", (2026, 11, 27, 9), (2026, 11, 30), "two days of the calendar, weekend or not"),
    (
        "KR",
        (2026, 11, 27, 9),
        (2026, 11, 27, 9),
        "at once: the fourteen days are for telling the outcome",
    ),
    ("ZA", (2026, 11, 28, 9), (2026, 11, 28, 9), "without delay"),
    ("XX", (2026, 11, 28, 9), (2026, 11, 28, 9), "at once"),
]
# Pack, key, what its source says.
FACTS = [
    ("AU", "unsubscribe.calendar", "sender"),  # Sch. 2 cl. 6: the place to which the stop is sent
    ("AU", "unsubscribe.first_day_counts", True),
    ("AU", "unsubscribe.login_forbidden", True),  # Spam Regulations 2021 s. 7
    ("AU", "unsubscribe.works_for_days", 30),  # s. 18
    ("CA", "unsubscribe.works_for_days", 60),  # CASL s. 11(2)
    ("CA", "identity.accurate_days", 60),  # CASL s. 6(3)
    ("CA", "exception.ends_with_relationship", False),  # s. 10(14): the end starts the clock
    ("US", "unsubscribe.works_for_days", 30),  # 15 U.S.C. 7704(a)(3)(A)(ii)
    ("US", "unsubscribe.login_forbidden", True),  # 16 CFR 316.5
    ("US", "identity.po_box_allowed", True),
    ("NZ", "unsubscribe.same_channel", True),  # UEMA s. 11
    ("KR", "unsubscribe.result_notice_days", 14),  # art. 50(7)
    ("KR", "consent.notice_months", 24),  # art. 50(8)
    ("KR", "consent.expires_months", None),
    ("KR", "unsubscribe.languages", ("ko", "en")),
    ("HK", "unsubscribe.languages", ("zh", "en")),  # Cap. 593A s. 7
    ("HK", "identity.po_box_allowed", False),
    ("HK", "unsubscribe.works_for_days", 30),  # s. 9
    ("SG", "unsubscribe.email_address_needed", True),  # Second Schedule para. 2
    ("CN", "unsubscribe.works_for_days", 30),  # art. 14
    ("ZA", "consent.one_request_to", ("natural", "sole_trader", "legal")),  # POPIA s. 69(2)
    ("IL", "consent.one_request_to", ("legal",)),  # s. 30A(b)
    ("IL", "calendar.weekend", ("fri", "sat")),
    ("GB", "exception.not_before", {"donation": date(2026, 2, 5)}),  # SI 2026/82
    ("TR", "unsubscribe.same_channel", True),
    ("XX", "countries", ()),
    ("XX", "exception.available", False),
    ("IN", "valid_until", date(2027, 5, 14)),
]
ROWS = [
    "AU",
    "BR",
    "CA",
    "CH",
    "CN",
    "GB",
    "HK",
    "IL",
    "IN",
    "JP",
    "KR",
    "MX",
    "NZ",
    "SG",
    "TR",
    "US",
    "XX",
    "ZA",
]


@pytest.mark.parametrize(("row", "received", "until", "why"), DEADLINES)
def test_a_stop_is_honoured_by(
    row: str, received: tuple[int, ...], until: tuple[int, ...], why: str
) -> None:
    pack = packs.pack(row, "1")
    found = deadline(datetime(*received, tzinfo=UTC), pack.unsubscribe, pack.calendar)
    assert found == datetime(*until, tzinfo=UTC), why


@pytest.mark.parametrize(("row", "key", "value"), FACTS)
def test_the_pack_says(row: str, key: str, value: object) -> None:
    assert attrgetter(key)(packs.pack(row, "1")) == value


def test_no_day_of_india_is_left_to_the_fallback() -> None:
    first, second = packs.pack("IN@1"), packs.pack("IN@2")
    assert first.valid_until == second.valid_from
    assert (first.countries, second.countries) == (("IN",), ("IN",))


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_told_whole(row: str) -> None:
    pack = packs.newest(row)
    assert pack.reviewed_on == date(2026, 11, 21)
    assert row == "XX" or (pack.complaints and pack.penalty and pack.records)
    assert row == "XX" or pack.countries == (row,)
    cited = {one for _, section in packs.sections(pack) for one in section.citations}
    assert cited == pack.citations.keys(), "a source that nothing cites, or the other way round"
    # Where days or hours are counted by holidays, they are known for the coming year.
    counted = pack.unsubscribe.unit == "business_days" or any(
        "holiday" not in rule.days for rule in pack.hours
    )
    end = pack.calendar.holidays_until
    assert not counted or (end is not None and end >= date(2028, 1, 1))
