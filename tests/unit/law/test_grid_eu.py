"""Each European pack against the grid of what its sources say, in every combination of channel, person and capacity."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from consentledger.law.model import CHANNELS, TRIGGERS
from tests.unit.law.cases.grid_eu import CAPACITIES, GRID, MONTHS_BACK, PERSONS, Row
from tests.unit.law.cases.table import Case, agreed, imported, run, sale
from tests.unit.law.test_tables_eu import TABLES

# What fails alone, and the code that must say so.
_CONDITIONS: tuple[tuple[dict[str, Any], str], ...] = (
    (sale(without="same_person"), "other_seller"),
    (sale(without="directly"), "not_collected_directly"),
    (sale(without="offered"), "no_opt_out_offered"),
    (sale(refused=True), "refused_at_collection"),
    (sale(relation="other"), "products_not_similar"),
    (sale(relation="unmapped"), "products_not_similar"),
    (sale() | {"closed": True}, "exception_closed"),
    (sale() | {"consent": "withdrawn"}, "exception_closed"),
)
# What these laws do not ask for.
_NO_CONDITIONS = (
    sale(without="told"),
    sale(ended_on="2026-10-02"),
    sale(relation="same_kind"),
    sale() | {"consent": "expired"},
)
_ROWS = pytest.mark.parametrize("row", GRID)


def test_grid_and_tables_are_of_the_same_rows() -> None:
    assert GRID.keys() == TABLES.keys()


@_ROWS
def test_without_consent_only_what_the_source_lets_pass(row: str) -> None:
    law = GRID[row]
    for channel, person, capacity in product(CHANNELS, PERSONS, CAPACITIES):
        free = capacity in law.free.get((channel, person), ())
        run(
            row,
            Case(
                f"no consent: {channel} to {person}, {capacity}",
                law.source,
                "allow" if free else "deny",
                {"person": person, "capacity": capacity},
                {"channel": channel} | imported(*law.lists),
                basis="opt_out" if free else None,
                codes=() if free else ("no_basis",),
                duties=("offer_opt_out", "recognisable_as_advertising") if free else (),
            ),
        )


@_ROWS
def test_an_unknown_person_is_read_as_every_kind(row: str) -> None:
    law = GRID[row]
    for channel, capacity in product(CHANNELS, CAPACITIES):
        free = all(capacity in law.free.get((channel, one), ()) for one in ("natural", "legal"))
        run(
            row,
            Case(
                f"no consent: {channel} to somebody, {capacity}",
                law.source,
                "allow" if free else "deny",
                {"person": "unknown", "capacity": capacity},
                {"channel": channel} | imported(*law.lists),
                basis="opt_out" if free else None,
            ),
        )


@_ROWS
def test_customers_are_whom_the_source_names(row: str) -> None:
    law = GRID[row]
    for channel, person in product(CHANNELS, PERSONS):
        # A capacity that no regime but a plain opt-out lets pass.
        free = "role_irrelevant" in law.free.get((channel, person), ())
        served = person in law.customers[channel]
        run(
            row,
            Case(
                f"a customer: {channel} to {person}",
                law.source,
                "allow" if served or free else "deny",
                sale() | {"person": person, "capacity": "role_irrelevant"},
                {"channel": channel} | imported(*law.lists),
                basis="existing_customer" if served else "opt_out" if free else None,
                codes=() if served or free else ("exception_off",),
            ),
        )


def _serving(law: Row) -> Iterator[dict[str, Any]]:
    """The channels on which a natural person may be a customer."""
    for channel in CHANNELS:
        if "natural" in law.customers[channel]:
            yield {"channel": channel} | imported(*law.lists)


@_ROWS
def test_each_condition_of_the_exception_is_needed(row: str) -> None:
    law = GRID[row]
    for message in _serving(law):
        for facts, code in _CONDITIONS:
            run(row, Case(f"only {code}", law.source, "deny", facts, message, codes=(code,)))
        for facts in _NO_CONDITIONS:
            run(row, Case("nothing", law.source, "allow", facts, message, "existing_customer"))


@_ROWS
def test_only_the_named_grounds_make_a_customer(row: str) -> None:
    law = GRID[row]
    for message, trigger in product(_serving(law), TRIGGERS):
        facts = sale(trigger=trigger)
        if trigger in law.triggers:
            case = Case(trigger, law.source, "allow", facts, message, "existing_customer")
            run(row, Case(**vars(case) | {"accepts": (trigger,)}))
        if trigger in law.risks:
            run(
                row,
                Case(trigger, law.source, "deny", facts, message, codes=("risk_not_accepted",)),
            )
        elif trigger in law.triggers:
            run(row, Case(trigger, law.source, "allow", facts, message, "existing_customer"))
        else:
            run(
                row,
                Case(trigger, law.source, "deny", facts, message, accepts=(trigger,)),
            )


@_ROWS
def test_consent_carries_everyone_as_it_was_given(row: str) -> None:
    law = GRID[row]
    unproven = "double_opt_in_missing"
    for channel, person in product(CHANNELS, (*PERSONS, "unknown")):
        message, facts = {"channel": channel}, {"person": person, "capacity": "role_irrelevant"}
        # On a list all the same: consent goes before it.
        facts |= {"listed": tuple(law.lists)}
        duties = ("identify_sender", "offer_opt_out", "recognisable_as_advertising")
        whole = Case("confirmed", law.source, "allow", agreed() | facts, message, "consent")
        run(row, Case(**vars(whole) | {"duties": duties}))
        if "role_irrelevant" in law.free.get((channel, person), ()):
            continue
        for grade, otherwise in (("single_opt_in", "deny"), ("attested", "review")):
            case = Case(grade, law.source, "allow", agreed(grade=grade) | facts, message, "consent")
            stopped = {"verdict": otherwise, "basis": None, "codes": (unproven,)}
            run(row, Case(**vars(case) | (stopped if law.confirmed else {})))


@_ROWS
def test_unused_consent_is_warned_of_in_time(row: str) -> None:
    law = GRID[row]
    over, within = MONTHS_BACK[law.warn]
    duty = ("refresh_consent",)
    run(row, Case("over", law.source, "allow", agreed(over), basis="consent", duties=duty))
    run(row, Case("within", law.source, "allow", agreed(within), basis="consent", absent=duty))
    old = Case("ten years", law.source, "allow", agreed("2016-11-24"), basis="consent", duties=duty)
    held = {"verdict": "review", "basis": None, "duties": (), "codes": ("dormant",)}
    run(row, Case(**vars(old) | (held if law.review else {})))


@_ROWS
def test_lists_bind_whom_the_source_says(row: str) -> None:
    law = GRID[row]
    for channel, person in product(CHANNELS, PERSONS):
        bound = [one for one, where in law.lists.items() if person in where.get(channel, ())]
        free = "role_relevant" in law.free.get((channel, person), ())
        served = person in law.customers[channel] or free
        facts = sale() | {"person": person, "capacity": "role_relevant"}
        looked = imported(*law.lists) | {"channel": channel}
        if bound and served:
            stale, listed = ("register_stale",), ("register_listed",)
            run(row, Case("never", law.source, "deny", facts, {"channel": channel}, codes=stale))
            facts |= {"listed": tuple(bound)}
            run(row, Case("on the list", law.source, "deny", facts, looked, codes=listed))
        elif served:
            basis = "existing_customer" if person in law.customers[channel] else "opt_out"
            facts |= {"listed": tuple(law.lists)}
            run(row, Case("unbound", law.source, "allow", facts, {"channel": channel}, basis))
