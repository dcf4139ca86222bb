"""Each pack beyond Europe's against the grid of what its sources say: channel by person, condition by condition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from consentledger.law.model import CHANNELS, RELATIONS, TRIGGERS
from tests.unit.law.cases.grid_world import ALL, GRID, LEGAL, NATURAL, PEOPLE, Row
from tests.unit.law.cases.table import Case, agreed, imported, run, sale
from tests.unit.law.test_tables_world import TABLES

_ROWS = pytest.mark.parametrize("row", GRID)
_CODES = {
    "same_person": "other_seller",
    "directly": "not_collected_directly",
    "offered": "no_opt_out_offered",
    "told": "not_told",
}
# Hours that hold every day, by the hours of UTC at which they open and close.
_DAILY = {"KR": (23, 12), "IN": (4.5, 15.5), "IN later": (4.5, 15.5), "US": (18, 2)}


def _facts(row: str, person: str = NATURAL, **more: Any) -> dict[str, Any]:
    """A recipient of this kind, who stands in each register that frees whom it names."""
    law = GRID[row]
    country = () if row == "XX" else (row[:2],)
    listed = tuple(code for code, one in law.lists.items() if one.in_it)
    return {"person": person, "listed": listed, "capacity": "private", "countries": country} | more


def _message(law: Row, channel: str = "email") -> dict[str, Any]:
    """A message at the row's instant, after a look into all its registers."""
    return imported(*law.lists, at=law.at) | {"channel": channel, "send_at": law.at}


def _asked(row: str, title: str, verdict: str, facts: Any, message: Any, **more: Any) -> None:
    run(row[:2], Case(title, GRID[row].source, verdict, facts, message, **more))


def test_grid_and_tables_are_of_the_same_rows() -> None:
    assert {row[:2] for row in GRID} == TABLES.keys()


@_ROWS
def test_without_consent_only_what_the_source_lets_pass(row: str) -> None:
    law = GRID[row]
    for channel, person in product(CHANNELS, (*ALL, "unknown")):
        wanted = {NATURAL, LEGAL} if person == "unknown" else {person}
        free = wanted <= set(law.free.get(channel, ()))
        told: dict[str, Any] = {"codes": ("no_basis",)}
        if free:
            told = {"basis": "opt_out", "duties": ("identify_sender", "offer_opt_out")}
        for capacity in ("private", "role_relevant", "role_irrelevant", "impersonal", "unknown"):
            facts = _facts(row, person, capacity=capacity)
            title = f"no consent: {channel} to {person}, {capacity}"
            _asked(row, title, "allow" if free else "deny", facts, _message(law, channel), **told)


@_ROWS
def test_a_refusal_ends_what_needs_no_consent(row: str) -> None:
    law = GRID[row]
    refusals = (
        ({"closed": True}, "opt_out_closed"),
        ({"consent": "withdrawn"}, "opt_out_closed"),
        ({"objection": "active"}, "objected"),
        (sale(refused=True), "refused_at_collection"),
    )
    for channel in CHANNELS:
        for person, (refusal, code) in product(law.free.get(channel, ()), refusals):
            facts = _facts(row, person) | refusal
            _asked(row, code, "deny", facts, _message(law, channel), codes=(code,))


@_ROWS
def test_customers_are_whom_the_source_names(row: str) -> None:
    law = GRID[row]
    for channel, person in product(CHANNELS, ALL):
        served, free = (person in who.get(channel, ()) for who in (law.customers, law.free))
        told: dict[str, Any] = {"codes": ("exception_off",)}
        if served or free:
            told = {"basis": "existing_customer" if served else "opt_out"}
        facts = _facts(row, person) | sale(trigger=law.triggers[0], relation="same_kind")
        verdict = "allow" if served or free else "deny"
        _asked(row, f"{channel} to {person}", verdict, facts, _message(law, channel), **told)


def _serving(row: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A recipient and the message, where the law knows none but consent and this exception."""
    law = GRID[row]
    for channel, person in product(CHANNELS, ALL):
        served, free = (person in who.get(channel, ()) for who in (law.customers, law.free))
        # Where a register decides what needs no consent, its number stands in it.
        listed = tuple(code for code, one in law.lists.items() if "opt_out" in one.bases)
        if served and free and listed:
            yield _facts(row, person, listed=listed), _message(law, channel)
        elif served and not free:
            yield _facts(row, person), _message(law, channel)


@_ROWS
def test_each_condition_is_needed_where_the_source_asks_it(row: str) -> None:
    law, first = GRID[row], GRID[row].triggers[0]
    asked = {"same_person": True, "directly": True, "offered": law.offered, "told": law.told}
    for base, message in _serving(row):
        for flag, needed in asked.items():
            facts = base | sale(trigger=first, without=flag, relation="same_kind")
            told: dict[str, Any] = {"codes": (_CODES[flag],)} if needed else {}
            basis = None if needed else "existing_customer"
            verdict = "deny" if needed else "allow"
            _asked(row, f"without {flag}", verdict, facts, message, basis=basis, **told)
        for relation in RELATIONS:
            near = relation in law.products
            facts = base | sale(trigger=first, relation=relation)
            told = {"basis": "existing_customer"} if near else {"codes": ("products_not_similar",)}
            _asked(row, relation, "allow" if near else "deny", facts, message, **told)
        ended = base | sale(trigger=first, relation="same_kind", ended_on="2026-10-20")
        told = {"codes": ("relationship_ended",)} if law.ends else {"basis": "existing_customer"}
        _asked(row, "it ended", "deny" if law.ends else "allow", ended, message, **told)
        closed = base | sale(trigger=first, relation="same_kind") | {"closed": True}
        _asked(row, "closed", "deny", closed, message, codes=("exception_closed",))


@_ROWS
def test_only_the_named_grounds_make_a_customer(row: str) -> None:
    law = GRID[row]
    for (base, message), trigger in product(_serving(row), TRIGGERS):
        if trigger in law.disclosed:
            continue
        facts = base | sale(trigger=trigger, relation="same_kind")
        known = trigger in law.triggers
        told: dict[str, Any] = {"codes": ("trigger_not_covered",)}
        if known:
            told = {"basis": "existing_customer"}
        accepts = (trigger,)
        verdict = "allow" if known else "deny"
        _asked(row, trigger, verdict, facts, message, accepts=accepts, **told)
        if trigger in law.risks:
            _asked(row, trigger, "deny", facts, message, codes=("risk_not_accepted",))


@_ROWS
def test_addresses_given_out_serve_whom_the_source_says(row: str) -> None:
    law = GRID[row]
    # Nothing of a sale, and no products: the law asks other things of an address that was given out.
    for channel, person, trigger in product(CHANNELS, ALL, law.disclosed):
        for capacity in ("role_relevant", "role_irrelevant", "unknown"):
            served = person in law.disclosed[trigger]
            served = served and (capacity == "role_relevant" or not law.role)
            ground = sale(trigger=trigger, relation="unmapped")["customer"]._replace(flags=())
            facts = _facts(row, person, capacity=capacity, customer=ground)
            told = {"basis": "existing_customer"} if served else {}
            title = f"{trigger}: {channel} to {person}, {capacity}"
            verdict = "allow" if served else "deny"
            _asked(row, title, verdict, facts, _message(law, channel), **told)


@_ROWS
def test_consent_carries_everyone_as_it_was_given(row: str) -> None:
    law = GRID[row]
    for channel, person in product(CHANNELS, (*ALL, "unknown")):
        duties = ["identify_sender", "offer_opt_out"]
        absent = []
        for code, wanted in (("postal_address", law.postal), ("contact_channel", law.contact)):
            (duties if wanted else absent).append(code)
        if channel in law.label:
            duties.append(f"subject_label={law.label[channel]}")
        else:
            absent.append("subject_label")
        told = {"basis": "consent", "duties": tuple(duties), "absent": tuple(absent)}
        facts, message = _facts(row, person), _message(law, channel)
        _asked(row, "confirmed", "allow", facts | agreed(), message, **told)
        if person in (*law.free.get(channel, ()), "unknown"):
            continue
        for grade in ("single_opt_in", "attested"):
            told = {"codes": ("double_opt_in_missing",)} if law.confirmed else {"basis": "consent"}
            verdict = "deny" if law.confirmed else "allow"
            _asked(row, grade, verdict, facts | agreed(grade=grade), message, **told)


@_ROWS
def test_consent_has_no_end_but_is_to_be_refreshed(row: str) -> None:
    law, duty = GRID[row], ("refresh_consent",)
    year, rest = law.at.year - law.warn // 12, f"{law.at:-%m-}"
    over, within = f"{year}{rest}{law.at.day - 1:02}", f"{year}{rest}{law.at.day + 1:02}"
    if law.at.day == 1:
        over = f"{year}-05-31"
    facts, message = _facts(row), _message(law)
    for on in (over, "2014-11-24"):
        _asked(row, on, "allow", facts | agreed(on), message, basis="consent", duties=duty)
    _asked(row, within, "allow", facts | agreed(within), message, basis="consent", absent=duty)


@_ROWS
def test_only_some_laws_end_consent_with_a_contract(row: str) -> None:
    law = GRID[row]
    facts = _facts(row) | agreed("2026-06-01")
    facts |= sale(trigger=law.triggers[0], ended_on="2026-10-20")
    told: dict[str, Any] = {"basis": "consent"}
    if law.consent_ends:
        told = {"codes": ("relationship_ended",)}
    verdict = "deny" if law.consent_ends else "allow"
    _asked(row, "it ended", verdict, facts, _message(law), **told)


def _resting(law: Row, channel: str, person: str, basis: str) -> dict[str, Any] | None:
    """Facts by which a message rests on this basis, None where it can't."""
    if basis == "consent":
        return agreed()
    if basis == "existing_customer":
        served = person in law.customers.get(channel, ())
        return sale(trigger=law.triggers[0], relation="same_kind") if served else None
    return {} if person in law.free.get(channel, ()) else None


@_ROWS
def test_registers_bind_whom_the_source_says(row: str) -> None:
    law = GRID[row]
    bases = ("consent", "existing_customer", "opt_out")
    for code, channel, person, basis in product(law.lists, CHANNELS, ALL, bases):
        listing, rests = law.lists[code], _resting(law, channel, person, basis)
        if rests is None:
            continue
        binds = channel in listing.channels and person in listing.persons
        binds = binds and basis in listing.bases
        facts, message = _facts(row, person) | rests, _message(law, channel)
        against = facts | {"listed": () if listing.in_it else (code,)}
        title = f"{code}: {basis}, {channel} to {person}"
        never = message | imported(*(other for other in law.lists if other != code), at=law.at)
        if not binds:
            for asked in (message, never):
                _asked(row, title, "allow", against, asked, basis=basis)
            continue
        told = "register_absent" if listing.in_it else "register_listed"
        _asked(row, title, "deny", against, message, codes=(told,))
        _asked(row, title, "deny", facts, never, codes=("register_stale",))
        age = timedelta(days=listing.days)
        for over, verdict in ((timedelta(0), "allow"), (timedelta(days=1), "deny")):
            looked = message | imported(code, at=law.at - age - over)
            carried = {"basis": basis} if verdict == "allow" else {"codes": ("register_stale",)}
            _asked(row, title, verdict, facts, looked, **carried)


@pytest.mark.parametrize("row", _DAILY)
def test_daily_hours_hold_on_every_day_and_for_everyone(row: str) -> None:
    law = GRID[row]
    opens, closes = (timedelta(hours=hours) for hours in _DAILY[row])
    midnight = law.at.replace(hour=0)
    minute = timedelta(minutes=1)
    for day, person in product(range(8), (*PEOPLE, LEGAL, "unknown")):
        start = midnight + timedelta(days=day)
        moments = (
            (start + opens, "allow"),
            (start + opens - minute, "deny"),
            (start + closes - minute, "allow"),
            (start + closes, "deny"),
        )
        for at, verdict in moments:
            message = imported(*law.lists, at=at) | {"channel": "sms", "send_at": at}
            told: dict[str, Any] = {"codes": ("outside_hours",)}
            if verdict == "allow":
                told = {"basis": "consent"}
            _asked(row, f"{at}", verdict, _facts(row, person) | agreed(), message, **told)
            mail = message | {"channel": "email"}
            _asked(row, f"{at}", "allow", _facts(row, person) | agreed(), mail, basis="consent")
