"""Existing customers on both engines: what is recorded, what is not, and what it makes of rows and standing."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from consentledger.contacts.models import Contact
from consentledger.customers import queries
from consentledger.customers.models import CustomerRecord
from consentledger.db.installation import Installation
from consentledger.ledger.kinds import kind
from consentledger.organisations.queries import organisation
from consentledger.organisations.rules import GapsError
from consentledger.replay.service import fsck
from tests.support import erasures
from tests.support.consents import People, people
from tests.support.customers import WORDING, lapse, record, sale

ANNA = "anna@example.com"


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop with one form; another organisation has the like."""
    return people(installation, "weekly offers", "herb tips")


def standing(shop: People, address: str = ANNA) -> dict[str, Any]:
    """What stands of an address."""
    contact = shop.contact(address)
    assert contact is not None
    return contact.standing


def count(shop: People, model: Any) -> int:
    """How many rows of a table are the organisation's."""
    with shop.database.read() as session:
        query = select(func.count()).select_from(model)
        return session.scalar(query.where(model.organisation_id == shop.org)) or 0


def found(shop: People, installation: Installation, address: str = ANNA) -> Any:
    """What is recorded of an address."""
    with shop.database.read() as session:
        return queries.customers_of_address(session, installation.keystore, shop.org, address)


def sound(installation: Installation, shop: People) -> bool:
    """Whether the rows are what the log gives."""
    report = fsck(installation, shop.org)
    assert report.findings == []
    return True


def test_a_sale_is_recorded_with_its_evidence(installation: Installation, shop: People) -> None:
    before = shop.size()
    done = record(shop.database, shop.org, sale(country="de"), first=7)
    [row] = done.rows
    assert (row.row, row.outcome, row.entry_index) == (7, "recorded", before)
    assert row.warnings == ("unmapped_category",)
    [entry] = shop.entries(ANNA)
    assert entry.kind == "customer.recorded"
    told = entry.values
    with shop.database.read() as session:
        legal_name = organisation(session, shop.org).legal_name
    assert (told["reference"], told["seller"]) == ("A-1", legal_name)
    assert (told["country"], told["row"], told["method"]) == ("DE", 7, "api")
    assert told["wording"][0] == "sha256"
    assert told["wording"][2] == len(WORDING)
    [fact] = found(shop, installation).customers
    assert (fact.on, fact.state, fact.carries) == ("2026-01-05", "recorded", True)
    assert fact.entry_index == before
    assert standing(shop)["consents"] == {}
    assert sound(installation, shop)


def test_two_spellings_are_one_person_and_a_repeat_is_not_stored(
    installation: Installation, shop: People
) -> None:
    rows = [sale(), sale("Anna@Example.COM", "A-2", on="2026-02-01"), sale("ANNA@example.com")]
    done = record(shop.database, shop.org, *rows)
    assert [one.outcome for one in done.rows] == ["recorded", "recorded", "repeated"]
    assert done.rows[2].customer_id == done.rows[0].customer_id
    assert count(shop, Contact) == 1
    again = record(shop.database, shop.org, *rows)
    assert {one.outcome for one in again.rows} == {"repeated"}
    assert count(shop, CustomerRecord) == 2
    assert [one["on"] for one in standing(shop)["customers"]] == ["2026-02-01"]
    assert [one.carries for one in found(shop, installation).customers].count(True) == 1
    assert sound(installation, shop)


def test_one_bad_row_refuses_all_unless_some_may_be_taken(shop: People) -> None:
    before = shop.size()
    rows = [sale(), sale("bert@example.com", on="2999-01-01"), sale("carl@example"), sale("d@e.fr")]
    with pytest.raises(GapsError) as refused:
        record(shop.database, shop.org, *rows)
    assert [(one.field, one.reason) for one in refused.value.gaps] == [
        ("rows[1].on", "future"),
        ("rows[2].address", "format"),
    ]
    assert (shop.size(), count(shop, Contact)) == (before, 0)
    done = record(shop.database, shop.org, *rows, partial=True)
    assert [one.outcome for one in done.rows] == ["recorded", "refused", "refused", "recorded"]
    assert (shop.size(), count(shop, Contact)) == (before + 2, 2)
    assert [one.reason for one in done.rows[1].refusals] == ["future"]


def test_an_objection_beats_an_import(installation: Installation, shop: People) -> None:
    record(shop.database, shop.org, sale())
    erasures.erase(installation, shop.org, ANNA)
    before, contacts = shop.size(), count(shop, Contact)
    done = record(shop.database, shop.org, sale("Anna@example.com", "A-9"))
    assert [one.outcome for one in done.rows] == ["suppressed"]
    assert (shop.size(), count(shop, Contact)) == (before, contacts)
    assert count(shop, CustomerRecord) == 0


def test_a_new_sale_reopens_nothing(installation: Installation, shop: People) -> None:
    shop.subscribe(ANNA)
    shop.stop_link(shop.stop(ANNA).link_id)
    closed = standing(shop)["closed"]
    assert closed
    done = record(shop.database, shop.org, sale())
    assert done.count("recorded") == 1
    assert standing(shop)["closed"] == closed
    assert found(shop, installation).closed == ("email",)
    assert sound(installation, shop)


def test_a_box_refused_at_the_sale_closes_until_the_person_confirms(
    installation: Installation, shop: People
) -> None:
    record(shop.database, shop.org, sale(refused_at_collection=True))
    assert set(standing(shop)["closed"]) == {"email"}
    record(shop.database, shop.org, sale(reference="A-2"))
    assert set(standing(shop)["closed"]) == {"email"}
    shop.subscribe(ANNA)
    assert standing(shop)["closed"] == {}
    assert sound(installation, shop)


def test_what_is_taken_back_or_ends(installation: Installation, shop: People) -> None:
    kept = sale(reference="B", trigger="ongoing_relationship")
    record(shop.database, shop.org, sale(), kept)
    named = {"address": "ANNA@example.com", "reference": "A-1"}
    ended = {"address": ANNA, "reference": "B", "reason": "ended", "ended_on": "2026-02-03"}
    done = lapse(shop.database, shop.org, {**named, "reason": "taken_back"}, ended)
    assert [one.outcome for one in done.rows] == ["lapsed", "lapsed"]
    [ground] = standing(shop)["customers"]
    assert (ground["trigger"], ground["ended_on"]) == ("ongoing_relationship", "2026-02-03")
    states = {one.trigger: one.state for one in found(shop, installation).customers}
    assert states == {"sale_paid": "lapsed", "ongoing_relationship": "ended"}
    again = lapse(shop.database, shop.org, {**named, "reason": "taken_back"})
    assert [one.outcome for one in again.rows] == ["repeated"]
    back = record(shop.database, shop.org, sale())
    assert [one.outcome for one in back.rows] == ["repeated"], "what was taken back stays so"
    assert sound(installation, shop)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"reference": "A-7"}, ("rows[0].reference", "unknown")),
        ({"address": "nobody@example.com"}, ("rows[0].reference", "unknown")),
        ({"reason": "ended", "ended_on": "2026-02-01"}, ("rows[0].reason", "unfitting")),
    ],
)
def test_what_can_not_lapse(shop: People, more: dict[str, str], refused: tuple[str, str]) -> None:
    record(shop.database, shop.org, sale())
    before = shop.size()
    row = {"address": ANNA, "reference": "A-1", "reason": "taken_back", **more}
    with pytest.raises(GapsError) as error:
        lapse(shop.database, shop.org, row)
    assert (error.value.gaps[0].field, error.value.gaps[0].reason) == refused
    assert shop.size() == before


def test_batches_that_meet_do_not_wait_for_each_other(
    installation: Installation, shop: People
) -> None:
    names = [f"p{n}@example.com" for n in range(40)]
    record(shop.database, shop.org, *[sale(name) for name in names[::3]])
    failed: list[BaseException] = []

    def one(order: int) -> None:
        try:
            for turn in range(3):
                rows = [sale(name, f"{order}-{turn}") for name in names[::order]]
                record(shop.database, shop.org, *rows)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(order,)) for order in (1, -1, 2, -2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert count(shop, Contact) == len(names)
    assert sound(installation, shop)


def test_a_sale_is_no_consent_in_any_kind() -> None:
    assert kind("customer.recorded").contact
    assert "consent" not in {one.name for one in kind("customer.recorded").fields}
