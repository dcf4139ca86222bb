"""What authors of packs are told: every slip at once, what makes no sense, what to look at again, gaps and overlaps."""

from __future__ import annotations

import pytest

from consentledger.kernel.errors import InputError
from consentledger.law.reading import schemas
from consentledger.law.reading.packs import load
from tests.support.pack_text import GOOD


def test_an_author_is_told_every_slip_at_once() -> None:
    wrong = GOOD.replace("available = true", "available = 1").replace("count = 24", "count = 0")
    wrong = wrong.replace('kind = "primary"', 'kind = "rumour"').replace('"gdpr_consent"', "7")
    with pytest.raises(schemas.SlipsError) as caught:
        schemas.check(wrong.encode(), file="mine.toml")
    assert {key for key, _ in caught.value.slips} == {
        "exception.available",
        "exception.periods[0].count",
        "citations[0].kind",
        "consent.standard",
    }
    assert "mine.toml, consent.standard" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('confidence = "high"', 'confidence = "low"', "status"),
        ('countries = ["DE"]', "countries = []", "countries"),
        ('citations = ["law"]\n[service]', "citations = []\n[service]", "objection.citations"),
        ("available = true", "available = false", "exception.channels"),
        ('persons = ["natural"]', "persons = []", "exception.persons"),
        ('risk_triggers = ["inquiry"]', 'risk_triggers = ["donation"]', "exception.risk_triggers"),
        ('triggers = ["sale_paid"]\ncount', 'triggers = ["donation"]\ncount', "exception.periods[0].triggers"),
        ('triggers = ["sale_paid"]\ncount', "triggers = []\ncount", "exception.periods[0].triggers"),
        ('risk_triggers = ["inquiry"]', 'disclosed = ["inquiry"]', "exception.disclosed_persons"),
        ("dormancy_warning_months = 24", "dormancy_warning_months = 24\ndormancy_review_months = 12",
         "consent.dormancy_review_months"),
        ('channels = ["sms"]\nmust_check', 'channels = ["voice"]\nmust_check', "registers[0].channels"),
        ('legal = "opt_out_register"', 'legal = "opt_in"', "regime.sms.register"),
        ('days = ["mon", "holiday"]', "days = []", "hours[0].days"),
    ],
)  # fmt: skip
def test_an_author_is_told_what_makes_no_sense(old: str, new: str, field: str) -> None:
    assert old in GOOD
    assert schemas.check(GOOD.encode()).warnings == ()
    with pytest.raises(schemas.SlipsError) as caught:
        schemas.check(GOOD.replace(old, new, 1).encode())
    assert field in {key for key, _ in caught.value.slips}


def test_hours_that_close_on_holidays_need_to_know_them() -> None:
    unknown = GOOD.replace(
        "holidays = [2026-12-25]\nholidays_from = 2026-01-01\nholidays_until = 2027-01-01\n", ""
    )
    assert schemas.check(unknown.encode()).pack.hours
    with pytest.raises(schemas.SlipsError, match="need to know the holidays"):
        schemas.check(unknown.replace('["mon", "holiday"]', '["mon"]').encode())


def test_what_was_written_from_memory_is_said() -> None:
    memory = GOOD.replace('kind = "primary"', 'kind = "memory"')
    (warning, *_) = schemas.check(memory.encode()).warnings
    assert "from memory" in warning
    assert "exception" in warning


def version(number: int, start: str, end: str | None) -> str:
    told = GOOD.replace('version = "1"', f'version = "{number}"', 1).replace("2018-05-25", start)
    return told.replace(start, f"{start}\nvalid_until = {end}") if end else told


@pytest.mark.parametrize(
    ("first_end", "second_start", "reason"),
    [
        ("2027-01-01", "2027-01-01", None),
        ("2027-01-01", "2027-01-02", "gap"),
        ("2027-01-02", "2027-01-01", "overlap"),
        (None, "2027-01-01", None),
        (None, "2018-05-25", None),
        (None, "2018-05-24", "overlap"),
    ],
)
def test_versions_follow_upon_each_other(
    first_end: str | None, second_start: str, reason: str | None
) -> None:
    told = (version(1, "2018-05-25", first_end), version(2, second_start, None))
    found = [load(text.encode()) for text in told]
    if reason is None:
        schemas.check_versions(found[::-1])
        return
    with pytest.raises(InputError) as caught:
        schemas.check_versions(found)
    assert (caught.value.field, caught.value.reason) == ("valid_until", reason)
