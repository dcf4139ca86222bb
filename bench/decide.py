"""decide() alone, on one core: repeated patterns of facts, fresh ones, and single questions; no database, no web."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from bench.figures import Figure
from consentledger.law import model
from consentledger.law.deciding.decide import Judge, decide
from consentledger.law.deciding.decider import Decider
from consentledger.law.model import Customer, Facts, Message
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted, Rulebook

FACTS = 100_000
SINGLE = 2_000
REPEATED_FLOOR = 100_000
FRESH_FLOOR = 10_000
ROUNDS = 3
SEND_AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
_BOOK = ("same_person", "directly", "offered", "told")


def run(engines: Sequence[str] = ()) -> list[Figure]:
    """All packs adopted, all registers imported; recipients of every country, mixed bases, days of four years."""
    adopted = tuple(Adopted(packs.pack(name)) for name in packs.names())
    rulebook = Rulebook(adopted)
    registers = {one.code for told in adopted for one in told.pack.registers}
    imported = tuple((code, SEND_AT - timedelta(hours=1)) for code in sorted(registers))
    message = Message("marketing", "email", SEND_AT, registers=imported)
    facts = _facts(sorted({country for one in adopted for country in one.pack.countries}))

    def first() -> None:
        _decide_all(Decider(message, rulebook, SEND_AT), facts)

    def fresh() -> None:
        judge = Judge(message, rulebook, SEND_AT)
        for one in facts:
            judge.decide(one)

    seen = Decider(message, rulebook, SEND_AT)
    _decide_all(seen, facts)

    def repeated() -> None:
        _decide_all(seen, facts)

    def single() -> None:
        for one in facts[:SINGLE]:
            decide(one, message, rulebook, SEND_AT)

    allowed = sum(seen.verdict(one)[1].allowed for one in facts)
    return [
        Figure("-", "decided, facts seen before", _rate(repeated, FACTS), "/s", REPEATED_FLOOR),
        Figure(
            "-", "decided, facts never seen, each in full", _rate(fresh, FACTS), "/s", FRESH_FLOOR
        ),
        Figure("-", "decided, facts never seen, as a batch does", _rate(first, FACTS), "/s"),
        Figure("-", "decided one by one, nothing kept", _rate(single, SINGLE), "/s"),
        Figure("-", "of these facts allowed", allowed / FACTS, ""),
    ]


def _decide_all(decider: Decider, facts: Sequence[Facts]) -> None:
    for one in facts:
        decider.verdict(one)


def _rate(work: Callable[[], None], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()  # it does nothing but compute, on one core
        work()
        best = min(best, time.process_time() - started)
    return count / best


def _facts(countries: Sequence[str]) -> list[Facts]:
    """Returns distinct facts: no two recipients are the same pattern before their days become words."""
    dice = random.Random(1)  # the same recipients in every run
    found: dict[Facts, None] = {}
    while len(found) < FACTS:
        found[_one(dice, countries)] = None
    return list(found)


def _one(dice: random.Random, countries: Sequence[str]) -> Facts:
    def day() -> str:
        return (date(2026, 11, 24) - timedelta(days=dice.randrange(1461))).isoformat()

    consent, grade, consented_on = dice.choice(
        (("confirmed", "double_opt_in", day()),) * 3 + (("none", "none", None),) * 2
        + (("withdrawn", "none", None),)
    )  # fmt: skip
    sale = Customer("sale_paid", day(), None, None, dice.choice(model.RELATIONS[:3]), _BOOK)
    return Facts(
        countries=(dice.choice(countries),) if dice.random() < 0.95 else (),
        person=dice.choice(("natural", "natural", "legal", "sole_trader", "unknown")),
        capacity=dice.choice(("private", "role_relevant", "unknown")),
        consent=consent,
        grade=grade,
        consented_on=consented_on,
        sent_on=day() if dice.random() < 0.5 else None,
        closed=consent == "withdrawn",
        customer=sale if dice.random() < 0.4 else None,
    )
