"""Days as words, the decider's memory, and until when a verdict holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consentledger.law.deciding import decider as deciding
from consentledger.law.deciding.canonical import canonical
from consentledger.law.deciding.decider import Decider
from consentledger.law.grounds import Ground, best, turning
from consentledger.law.model import Customer, Facts, Message, Verdict
from consentledger.law.pack import Pack, Period, Register
from consentledger.law.products import CategoryTree, relation
from consentledger.law.reading.packs import pack as brought
from consentledger.law.rulebook import Adopted, Rulebook
from tests.support.judging import (
    AGREED,
    AT,
    BOOK,
    HALF_A_YEAR,
    MIDNIGHT,
    PACK,
    SAID,
    SALE,
    judged,
    law,
)

MESSAGE = Message("marketing", "email", AT)


def room(pack: Pack = PACK) -> Rulebook:
    return Rulebook((Adopted(pack), Adopted(brought("XX@1"))))


def words(pack: Pack = PACK, **facts: Any) -> Facts:
    return canonical(Facts(countries=("DE",), **facts), MESSAGE, room(pack), AT)


@pytest.mark.parametrize(
    ("on", "word"),
    [
        ("2026-11-24", "current"),
        ("2024-11-27", "current"),  # carries beyond the horizon of three days
        ("2024-11-26", "2024-11-26"),
        ("2024-11-24", "2024-11-24"),
        ("2024-11-23", "old"),
        ("1999-01-01", "old"),
        ("2026-11-26", "2026-11-26"),  # the day after tomorrow is unclear, and stays
        ("someday", "someday"),
        ("current", "current"),
    ],
)
def test_a_sales_day_becomes_a_word_where_its_period_agrees(on: str, word: str) -> None:
    assert words(customer=SALE._replace(on=on)).customer == SALE._replace(on=word)


def test_a_day_that_no_rule_turns_on_is_current() -> None:
    assert words(sent_on="1999-01-01").sent_on == "old"  # dormancy is counted from it
    plain = law(consent={"dormancy_warning_months": None})
    assert words(plain, sent_on="1999-01-01", consented_on="1999-01-01")[6:8] == (
        "current",
        "current",
    )


def test_a_day_between_two_limits_stays() -> None:
    pack = law(consent={"dormancy_warning_months": 12, "dormancy_review_months": 24})
    assert words(pack, consented_on="2026-06-01").consented_on == "current"
    assert words(pack, consented_on="2025-06-01").consented_on == "2025-06-01"
    assert words(pack, consented_on="2024-06-01").consented_on == "old"
    # Of two countries, each has its own limit.
    facts = Facts(countries=("DE", "FR"), consented_on="2025-06-01")
    assert canonical(facts, MESSAGE, room(), AT).consented_on == "2025-06-01"


def test_a_renewal_is_told_where_a_rule_counts_from_it() -> None:
    fixed = Period(**SAID, triggers=("sale_paid",), count=12, unit="months")
    pack = law(exception={"periods": (fixed, replace(fixed, renewed_by_message=True))})
    for on, word in (
        ("2026-06-01", "current"),
        ("2025-11-24", "2025-11-24"),
        ("2025-11-23", "old"),
    ):
        told = SALE._replace(renewed_on=on)
        assert words(pack, customer=told).customer == SALE._replace(on="current", renewed_on=word)
        assert words(customer=told).customer == SALE._replace(on="current")
    for odd in ("someday", "2026-11-26"):  # what is unclear stays so
        unclear = SALE._replace(on="current", renewed_on=odd)
        assert words(customer=unclear).customer == unclear
    assert judged(customer=SALE._replace(renewed_on="someday")).codes == "fact_unclear"


def test_days_whose_order_decides_stay() -> None:
    pack = law(consent={"ends_with_relationship": True})
    ended = SALE._replace(on="1999-01-01", ended_on="2020-01-01")
    told = words(pack, consented_on="2019-01-01", customer=ended)
    assert (told.consented_on, told.customer) == ("2019-01-01", ended)


def test_a_decider_remembers_patterns_and_forgets_them_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciding, "MOST", 3)
    decider = Decider(MESSAGE, room(), AT)
    days = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(200)]
    told = [
        decider.verdict(Facts(countries=("DE",), **AGREED | {"consented_on": day})) for day in days
    ]  # type: ignore[arg-type]
    assert len({id(verdict) for _, verdict in told}) == 1
    for state in ("none", "expired", "lapsed", "withdrawn", "paused"):
        assert decider.verdict(Facts(countries=("DE",), consent=state))[1].verdict == "deny"
    assert len(decider._known) <= 3


def test_a_grounds_text_reads_back() -> None:
    for customer in (
        SALE,
        SALE._replace(ended_on="old"),
        SALE._replace(renewed_on="2026-11-01"),
        Customer("donation", "current", None, None, "unmapped", ()),
    ):
        assert Customer.parse(customer.text()) == customer
    for text in ("", "sale_paid", "sale_paid 2026-10-01 - similar"):
        with pytest.raises(ValueError, match="unpack"):
            Customer.parse(text)


def ground(n: int, on: str, ended_on: str | None = None) -> Ground:
    return Ground(n, "email", "sale_paid", on, ended_on, ("a",), BOOK, "DE", "natural", "private")


def by_ground(pack: Pack = PACK, **facts: Any) -> Any:
    def decide_one(one: Ground) -> Verdict:
        customer = Customer(one.trigger, one.on, one.ended_on, None, "similar", one.flags)
        return judged(pack, **facts, customer=customer)

    return decide_one


def test_the_newest_ground_that_carries_is_the_best() -> None:
    old, fair, new = ground(3, "2020-01-01"), ground(1, "2026-01-01"), ground(2, "2026-02-01")
    assert best([old, fair, new], by_ground()) == new
    assert best([fair, old], by_ground()) == fair
    older = ground(9, "2019-01-01")
    assert best([older, old], by_ground()) == old  # none carries: the newest is shown
    assert best([], by_ground()) is None


def test_an_ended_contract_turns_an_older_consent() -> None:
    israel = law(consent={"ends_with_relationship": True})
    lasting, ended = ground(1, "2020-01-01"), ground(2, "2020-01-01", "2026-10-01")
    for pack, wanted in ((israel, ended), (PACK, None)):
        without = judged(pack, **AGREED)
        assert without.allowed
        assert turning([lasting, ended], without, by_ground(pack, **AGREED)) == wanted
    sale = ground(3, "2026-10-01")
    assert turning([sale], judged(), by_ground()) == sale


TREE = CategoryTree(
    3,
    ("garden", "garden/plants", "garden/tools", "garden/tools/spades", "toys", "toys/cars"),
    ("garden/tools", "toys"),
)


@pytest.mark.parametrize(
    ("message", "sale", "word"),
    [
        (("toys/cars",), ("toys/cars",), "same_kind"),
        (("toys/cars",), ("toys",), "similar"),
        (("garden/tools",), ("garden/tools/spades",), "similar"),
        (("garden/plants",), ("garden/tools",), "other"),
        (("garden",), ("garden/tools",), "other"),
        (("toys/cars", "garden/plants"), ("toys/cars",), "other"),
        (("toys/cars",), ("garden", "toys"), "similar"),
        (("toys/cars",), ("toys/trains", "toys"), "similar"),
        (("toys/trains",), ("toys/trains",), "unmapped"),
        (("toys/cars", "toys/trains"), ("toys/cars",), "unmapped"),
        ((), ("toys",), "unmapped"),
        (("toys",), (), "unmapped"),
    ],
)
def test_products_are_as_near_as_the_tree_says(
    message: tuple[str, ...], sale: tuple[str, ...], word: str
) -> None:
    assert relation(message, sale, TREE) == word
    assert relation(message, sale, None) == "unmapped"


LIST = Register(
    **SAID, code="DE-LIST", name="x", url="x", channels=("email",), must_check=True, max_age_days=1
)


YEAR = Period(**SAID, triggers=("sale_paid",), count=12, unit="months", renewed_by_message=True)
RENEWED = law(exception={"periods": (YEAR,)})


@pytest.mark.parametrize(
    ("pack", "facts", "until"),
    [
        (PACK, AGREED, None),
        # The sale's two years end at midnight in Berlin.
        (PACK, {"customer": SALE._replace(on="2024-11-24")}, MIDNIGHT),
        (PACK, {"customer": SALE._replace(on="2024-11-25")}, MIDNIGHT + timedelta(days=1)),
        (PACK, {"customer": SALE}, None),
        (law(consent={"expires_months": 6}), HALF_A_YEAR, MIDNIGHT),
        (law(consent={"dormancy_review_months": 6}), HALF_A_YEAR, MIDNIGHT),
        (law(consent={"dormancy_review_months": 6}), HALF_A_YEAR | {"sent_on": "2026-11-01"}, None),
        # Twelve months of the last message under the exception end at midnight, too; those of any other do not count.
        (RENEWED, {"customer": SALE._replace(on="2020-01-01", renewed_on="2025-11-24"), "sent_on": "2026-11-01"},
         MIDNIGHT),
        (replace(PACK, valid_until=date(2026, 11, 25)), AGREED, datetime(2026, 11, 25, tzinfo=UTC)),
        (law(exception={"ends_with_relationship": True}), {"customer": SALE._replace(ended_on="2026-11-26")},
         MIDNIGHT + timedelta(days=1)),
    ],
)  # fmt: skip
def test_a_verdict_says_until_when(
    pack: Pack, facts: dict[str, Any], until: datetime | None
) -> None:
    verdict = judged(pack, **facts)
    assert (verdict.allowed, verdict.until) == (True, until)


def test_an_import_carries_until_it_is_too_old() -> None:
    pack = replace(PACK, registers=(LIST,))
    message = Message("marketing", "email", AT, registers=(("DE-LIST", AT - timedelta(hours=20)),))
    assert judged(pack, message, **AGREED).until == AT + timedelta(hours=4, microseconds=1)
