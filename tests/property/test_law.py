"""The decision as a function: total, the same for everyone, and never laxer for a tighter fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consentledger.law import model
from consentledger.law.deciding.canonical import canonical
from consentledger.law.deciding.decide import decide
from consentledger.law.deciding.decider import Decider
from consentledger.law.model import Customer, Facts, Message, Verdict
from consentledger.law.rulebook import Rulebook
from tests.support.laws import COUNTRIES, ROOM, TIMES, Dice

RANK = {"deny": 0, "review": 1, "allow": 2}
HORIZON = timedelta(hours=48)


class Case(NamedTuple):
    facts: Facts
    message: Message
    rulebook: Rulebook

    def verdict(self, at: datetime | None = None) -> Verdict:
        at = at or self.message.send_at
        return decide(self.facts, replace(self.message, send_at=at), self.rulebook, at)


def thrown(dice: Dice) -> Case:
    return Case(*dice.world())


def older(dice: Dice, day: str | None, at: datetime) -> str | None:
    """A day that is no younger, or that nobody knows."""
    return None if day is None else dice.choice((day, None, min(day, dice.day(at))))


def tighter_consent(dice: Dice, case: Case) -> Case:
    facts = case.facts
    weaker = {
        "double_opt_in": model.GRADES,
        "attested": ("attested", "single_opt_in", "none"),
        "single_opt_in": ("single_opt_in", "none"),
        "none": ("none",),
    }
    # Who took consent back, declined or paused it said no; the others only never said yes.
    silent = ("none", "requested", "expired", "lapsed")
    refused = ("withdrawn", "declined", "paused")
    states = {"confirmed": model.CONSENT_STATES} | dict.fromkeys(silent, (*silent, *refused))
    return case._replace(
        facts=facts._replace(
            consent=dice.often(facts.consent, *states.get(facts.consent, refused), share=0.5),
            grade=dice.choice(weaker[facts.grade]),
            consented_on=older(dice, facts.consented_on, case.message.send_at),
            sent_on=older(dice, facts.sent_on, case.message.send_at),
        )
    )


def tighter_person(dice: Dice, case: Case) -> Case:
    facts = case.facts
    more = dice.some((*COUNTRIES, "ZZ"), 0.3) if facts.countries else ()
    stops = model.OBJECTIONS[model.OBJECTIONS.index(facts.objection) :]
    return case._replace(
        facts=facts._replace(
            recipient=dice.often(facts.recipient, "stranger", "invalid", "duplicate"),
            countries=tuple(sorted({*facts.countries, *more})),
            person=dice.often(facts.person, "unknown", share=0.5),
            capacity=dice.often(facts.capacity, "unknown", share=0.5),
            objection=dice.often(*stops),
            closed=facts.closed or dice.yes(0.2),
            tracking=dice.choice((facts.tracking, "none")),
        )
    )


def tighter_customer(dice: Dice, case: Case) -> Case:
    customer = case.facts.customer
    if customer is None:
        return case
    at = case.message.send_at
    refused = "refused" in customer.flags or dice.yes(0.2)
    kept = {*dice.some(customer.flags, 0.8)} - {"refused"} | ({"refused"} if refused else set())
    farther = model.RELATIONS[model.RELATIONS.index(customer.relation) :]
    tight: Customer | None = customer._replace(
        on=older(dice, customer.on, at) or customer.on,
        renewed_on=older(dice, customer.renewed_on, at),
        relation=dice.choice(farther),
        flags=tuple(flag for flag in model.FLAGS if flag in kept),
        ended_on=customer.ended_on or dice.choice((None, dice.day(at))),
    )
    # A ground that is gone is tighter, unless it told of a refusal or of a contract's end.
    if "refused" not in customer.flags and customer.ended_on is None and dice.yes(0.2):
        tight = None
    return case._replace(facts=case.facts._replace(customer=tight))


def tighter_registers(dice: Dice, case: Case) -> Case:
    listed, known = set(case.facts.listed), dict(case.message.registers)
    registers = [one for adopted in case.rulebook.adopted for one in adopted.pack.registers]
    for code in dice.some(tuple(sorted({one.code for one in registers})), 0.7):
        blocks = {one.blocks for one in registers if one.code == code}
        if blocks == {"listed"}:  # two packs may see one register each in its way
            listed.add(code)
        elif blocks == {"absent"}:
            listed.discard(code)
        if code in known and dice.yes():
            known[code] -= dice.choice((timedelta(hours=3), timedelta(days=2)))
        elif dice.yes():
            known.pop(code, None)
    message = replace(case.message, registers=tuple(sorted(known.items())))
    return case._replace(facts=case.facts._replace(listed=tuple(sorted(listed))), message=message)


def tighter_message(dice: Dice, case: Case) -> Case:
    classes = {
        "service": ("service", "marketing", "tracking"),
        "marketing": ("marketing", "tracking"),
        "tracking": ("tracking",),
    }
    contains = {*case.message.contains, *dice.some(model.CONTAINS, 0.2)}
    new = replace(
        case.message,
        message_class=dice.choice(classes[case.message.message_class]),
        contains=tuple(word for word in model.CONTAINS if word in contains),
    )
    return case._replace(message=new)


def tighter_rulebook(dice: Dice, case: Case) -> Case:
    words = (
        "exception=off",
        "exception.email=off",
        "exception.months=6",
        "opt_out=off",
        "double_opt_in=required",
        "consent.months=12",
    )
    tight = tuple(
        replace(one, stricter=dice.some(words, 0.3), accepts=dice.some(one.accepts))
        for one in case.rulebook.adopted
    )
    return case._replace(rulebook=Rulebook(tight))


TIGHTER: tuple[Callable[[Dice, Case], Case], ...] = (
    tighter_consent,
    tighter_person,
    tighter_customer,
    tighter_registers,
    tighter_message,
    tighter_rulebook,
)
THROWS = st.integers(0, 2**48)
MANY = settings(max_examples=80, deadline=None)


def test_most_worlds_allow_something() -> None:
    cases = [thrown(Dice(number)) for number in range(400)]
    verdicts = [case.verdict() for case in cases]
    for basis in model.BASES:
        assert sum(verdict.basis == basis for verdict in verdicts) >= 8, basis
    assert sum(verdict.until is not None for verdict in verdicts) >= 20
    assert sum(verdict.verdict == "review" for verdict in verdicts) >= 3


@pytest.mark.parametrize("tighter", TIGHTER, ids=lambda one: one.__name__)
@MANY
@given(THROWS)
def test_a_tighter_fact_never_allows_more(
    tighter: Callable[[Dice, Case], Case], number: int
) -> None:
    dice = Dice(number)
    loose = thrown(dice)
    tight = tighter(dice, loose)
    before, after = loose.verdict(), tight.verdict()
    assert RANK[after.verdict] <= RANK[before.verdict], (before, after, loose, tight.facts)


@MANY
@given(THROWS)
def test_words_for_days_decide_as_the_days_do(number: int) -> None:
    case = thrown(Dice(number))
    exact = case.verdict()
    at = case.message.send_at
    short = canonical(case.facts, case.message, case.rulebook, at)
    assert case._replace(facts=short).verdict() == exact
    assert canonical(short, case.message, case.rulebook, at) == short
    decider = Decider(case.message, case.rulebook, at)
    assert decider.verdict(case.facts) == decider.verdict(case.facts) == (short, exact)


@MANY
@given(THROWS)
def test_until_its_end_a_verdict_holds_and_not_beyond(number: int) -> None:
    dice = Dice(number)
    case = thrown(dice)
    at = case.message.send_at
    verdict = case.verdict()
    if verdict.verdict == "deny":
        return
    end = min(verdict.until or at + HORIZON, at + HORIZON)
    assert end > at
    last = end - timedelta(microseconds=1)
    for later in (min(at + (end - at) * dice.random(), last), last):
        then = case.verdict(later)
        assert (then.verdict, then.basis) == (verdict.verdict, verdict.basis), (later, case.facts)
    if verdict.until is not None:
        after = case.verdict(verdict.until)
        assert told(after) != told(verdict), case.facts


def told(verdict: Verdict) -> tuple[object, ...]:
    return verdict.verdict, verdict.basis, verdict.reasons, verdict.packs


JUNK = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        (
            "current",
            "old",
            "confirmed",
            "natural",
            "2026-02-30",
            "2026-1-1",
            "9999-12-31",
            "0001-01-01",
        )
    ),
)


@MANY
@given(st.data(), THROWS)
def test_any_words_get_a_verdict(data: st.DataObject, number: int) -> None:
    case = thrown(Dice(number))
    junk = case.facts
    for name in data.draw(st.sets(st.sampled_from(Facts._fields), max_size=4)):
        lists = name in ("countries", "listed")
        value = data.draw(st.lists(JUNK, max_size=3).map(tuple) if lists else JUNK)
        if name == "customer":
            value = Customer(value, value, value, value, value, (value,))
        junk = junk._replace(**{name: value})
    at = case.message.send_at
    verdict = decide(junk, case.message, ROOM, at)
    assert verdict.verdict in model.VERDICTS
    assert verdict.reasons
    assert all(reason.code and reason.rule and reason.source for reason in verdict.reasons)
    assert (verdict.basis is not None) is verdict.allowed
    assert verdict.allowed or not verdict.duties
    assert verdict == decide(junk, case.message, ROOM, at)
    word_facts = ("recipient", "person", "capacity", "consent", "grade", "objection")
    known = all(getattr(junk, name) in _WORDS[name] for name in word_facts)
    assert known or not verdict.allowed
    assert Decider(case.message, ROOM, at).verdict(junk)[1] == verdict


_WORDS = {
    "recipient": model.RECIPIENTS,
    "person": model.PERSONS,
    "capacity": model.CAPACITIES,
    "consent": model.CONSENT_STATES,
    "grade": model.GRADES,
    "objection": model.OBJECTIONS,
}


@example("", "email", ())
@example("marketing", "fax", ())
@example("service", "email", ("gift",))
@given(st.text(max_size=9), st.text(max_size=9), st.lists(st.text(max_size=9)).map(tuple))
def test_a_message_told_in_unknown_words_goes_nowhere(
    message_class: str, channel: str, contains: tuple[str, ...]
) -> None:
    at = TIMES[0]
    facts = Facts(
        countries=("DE",), consent="confirmed", grade="double_opt_in", consented_on="2026-01-01"
    )
    verdict = decide(facts, Message(message_class, channel, at, contains), ROOM, at)
    assert (verdict.verdict, verdict.codes) == ("deny", "fact_unclear")
