"""What a record of a customer must say, and in which words each row is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from consentledger.customers import rules
from consentledger.customers.commands import CustomerRow
from tests.support.customers import sale

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEGAL_NAME = "Alpenkraut Versand GmbH"


def read(**more: Any) -> CustomerRow | list[tuple[str, str]]:
    """Reads one row; its refusals as (field, reason)."""
    found = rules.read_row(sale(**more), legal_name=LEGAL_NAME, now=NOW)
    if isinstance(found, CustomerRow):
        return found
    return [(one.field, one.reason) for one in found]


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"address": "anna"}, ("address", "no_at")),
        ({"address": None}, ("address", "missing")),
        ({"reference": None}, ("reference", "missing")),
        ({"reference": "  "}, ("reference", "missing")),
        ({"reference": "a\nb"}, ("reference", "control_character")),
        ({"on": None}, ("on", "missing")),
        ({"on": "2026-03-04"}, ("on", "future")),
        ({"on": "2026-02-30"}, ("on", "format")),
        ({"on": "5.1.2026"}, ("on", "format")),
        ({"on": "٢٠٢٦-٠١-٠٥"}, ("on", "format")),
        ({"on": "1970-01-01"}, ("on", "range")),
        ({"on": 20260105}, ("on", "format")),
        ({"trigger": None}, ("trigger", "missing")),
        ({"trigger": "gift"}, ("trigger", "unknown")),
        ({"person": "robot"}, ("person", "unknown")),
        ({"capacity": "boss"}, ("capacity", "unknown")),
        ({"country": "Germany"}, ("country", "unknown")),
        ({"country": "XX"}, ("country", "unknown")),
        ({"channel": "fax"}, ("channel", "unknown")),
        ({"obtained_from": None}, ("obtained_from", "missing")),
        ({"obtained_from": "bought"}, ("obtained_from", "not_from_customer")),
        ({"obtained_from": "looked_up"}, ("obtained_from", "not_from_customer")),
        ({"obtained_from": "marketplace"}, ("obtained_from", "not_from_customer")),
        ({"obtained_from": "published"}, ("obtained_from", "not_from_customer")),
        ({"obtained_from": "friend"}, ("obtained_from", "unknown")),
        ({"seller": "Another GmbH"}, ("seller", "other_seller")),
        ({"offered_at_collection": None}, ("offered_at_collection", "missing")),
        ({"offered_at_collection": "yes"}, ("offered_at_collection", "type")),
        ({"opt_out_wording": None}, ("opt_out_wording", "missing")),
        ({"opt_out_wording": ""}, ("opt_out_wording", "missing")),
        ({"refused_at_collection": 1}, ("refused_at_collection", "type")),
        ({"ended_on": "2026-01-06"}, ("ended_on", "unfitting")),
        (
            {"trigger": "ongoing_relationship", "ended_on": "2026-01-04"},
            ("ended_on", "range"),
        ),
        ({"categories": "garden"}, ("categories", "type")),
        ({"categories": ["Garden Tools"]}, ("categories", "format")),
        ({"categories": ["a"] * 21}, ("categories", "type")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
)
def test_what_is_refused(more: dict[str, Any], refused: tuple[str, str]) -> None:
    assert read(**more) == [refused]


def test_everything_that_is_amiss_is_named_at_once() -> None:
    found = read(on="2027-01-01", trigger="gift", obtained_from="bought")
    assert found == [
        ("trigger", "unknown"),
        ("on", "future"),
        ("obtained_from", "not_from_customer"),
    ]


@pytest.mark.parametrize(
    ("given", "country"), [("de", "DE"), ("CA-QC", "CA"), ("uk", "GB"), ("", None), (None, None)]
)
def test_countries_are_understood(given: str | None, country: str | None) -> None:
    found = read(country=given)
    assert isinstance(found, CustomerRow)
    assert found.country == country


def test_what_is_not_said_is_unknown() -> None:
    found = rules.read_row(
        sale(country=None, person=None, categories=None), legal_name=LEGAL_NAME, now=NOW
    )
    assert isinstance(found, CustomerRow)
    assert (found.country, found.person, found.capacity) == (None, "unknown", "unknown")
    assert (found.refused_at_collection, found.told_use_for_advertising) == (False, False)
    assert (found.seller, found.categories) == (LEGAL_NAME, ())


def test_today_begins_in_the_east() -> None:
    tomorrow = read(on="2026-03-03")
    assert isinstance(tomorrow, CustomerRow)
    assert tomorrow.on == date(2026, 3, 3)


@pytest.mark.parametrize("seller", [LEGAL_NAME, "alpenkraut  versand GMBH"])
def test_the_seller_is_the_organisation(seller: str) -> None:
    found = read(seller=seller)
    assert isinstance(found, CustomerRow)
    assert found.seller == LEGAL_NAME


def test_a_published_address_is_a_ground_of_its_own_and_not_from_the_customer() -> None:
    found = read(trigger="published_address", obtained_from="published")
    assert isinstance(found, CustomerRow)
    assert found.obtained_from == "published"


@pytest.mark.parametrize(
    ("categories", "mapped", "warnings"),
    [
        (["garden/tools"], ["garden", "garden/tools"], ()),
        (["garden/tools", "books"], ["garden", "garden/tools"], (rules.UNMAPPED,)),
        (["garden/tools"], [], (rules.UNMAPPED,)),
        ([], ["garden"], (rules.NO_CATEGORIES,)),
    ],
)
def test_categories_that_nobody_mapped_are_a_warning(
    categories: list[str], mapped: list[str], warnings: tuple[str, ...]
) -> None:
    found = read(categories=categories)
    assert isinstance(found, CustomerRow)
    assert rules.warnings_of(found, mapped) == warnings


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ({"reason": "ended"}, ("ended_on", "missing")),
        ({"reason": "ended", "ended_on": "2027-01-01"}, ("ended_on", "future")),
        ({"reason": "taken_back", "ended_on": "2026-01-01"}, ("ended_on", "unfitting")),
        ({"reason": "bored"}, ("reason", "unknown")),
        ({}, ("reason", "missing")),
    ],
)
def test_what_a_lapse_must_say(row: dict[str, str], refused: tuple[str, str]) -> None:
    found = rules.read_lapse({"address": "a@example.com", "reference": "1", **row}, now=NOW)
    assert isinstance(found, list)
    assert [(one.field, one.reason) for one in found] == [refused]
