"""How a customer's record ends: with an erasure, with the contact's retention, and never a refusal with it."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.contacts.models import Contact, Suppression
from consentledger.customers.models import CustomerRecord
from consentledger.db.installation import Installation
from consentledger.erasure import service
from consentledger.replay.service import fsck
from tests.support import erasures
from tests.support.consents import People, people
from tests.support.customers import lapse, record, sale

DAY, YEARS = 86_400, 3 * 365
BEGIN = "2036-03-02T12:00:00+00:00"
ANNA = "anna@example.com"


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop of the time in which these tests play."""
    with time_machine.travel(BEGIN, tick=False):
        return people(installation, "weekly offers")


def count(shop: People, model: Any) -> int:
    """How many rows of a table are the organisation's."""
    with shop.database.read() as session:
        query = select(func.count()).select_from(model)
        return session.scalar(query.where(model.organisation_id == shop.org)) or 0


def retired(shop: People) -> None:
    """Lets the worker end what is past its retention."""
    service.retire_due(shop.database)
    while erasures.destroy_due(shop.database):
        pass


@pytest.mark.parametrize(("more", "suppressions"), [({}, 0), ({"refused_at_collection": True}, 1)])
def test_a_customer_is_forgotten_and_a_refusal_is_not(
    installation: Installation, shop: People, more: dict[str, Any], suppressions: int
) -> None:
    with time_machine.travel(BEGIN, tick=True) as clock:
        record(shop.database, shop.org, sale(**more))
        clock.shift((YEARS - 1) * DAY)
        retired(shop)
        assert count(shop, CustomerRecord) == 1
        clock.shift(2 * DAY)
        retired(shop)
        assert (count(shop, CustomerRecord), count(shop, Contact)) == (0, 0)
        assert count(shop, Suppression) == suppressions
        [again] = record(shop.database, shop.org, sale()).rows
        assert again.outcome == ("suppressed" if suppressions else "recorded")
        assert fsck(installation, shop.org).findings == []


def test_a_running_relationship_is_not_forgotten(installation: Installation, shop: People) -> None:
    with time_machine.travel(BEGIN, tick=True) as clock:
        record(shop.database, shop.org, sale(trigger="ongoing_relationship"))
        clock.shift((YEARS + 1) * DAY)
        retired(shop)
        assert count(shop, CustomerRecord) == 1
        row = {"address": ANNA, "reference": "A-1", "reason": "ended", "ended_on": "2039-03-01"}
        lapse(shop.database, shop.org, row)
        clock.shift((YEARS + 1) * DAY)
        retired(shop)
        assert count(shop, CustomerRecord) == 0
        assert fsck(installation, shop.org).findings == []


def test_an_erasure_takes_the_records_and_their_evidence(
    installation: Installation, shop: People
) -> None:
    record(shop.database, shop.org, sale(), sale(reference="A-2", categories=["books"]))
    receipt = erasures.erase(installation, shop.org, ANNA)
    assert receipt.gone is not None
    assert receipt.gone["customer_record"] == 2
    assert (count(shop, CustomerRecord), count(shop, Contact)) == (0, 0)
    assert fsck(installation, shop.org).findings == []


def test_who_comes_back_meanwhile_is_no_customer_any_more(
    installation: Installation, shop: People
) -> None:
    record(shop.database, shop.org, sale())
    erasures.ask(shop.database, shop.org, ANNA)
    contact = shop.contact(ANNA)
    assert contact is not None
    assert "customers" not in contact.standing
    service.collect_requested(shop.database, shop.org, None, installation.journal)
    shop.subscribe(ANNA)
    while erasures.destroy_due(shop.database):
        pass
    assert count(shop, CustomerRecord) == 0
    assert shop.state(ANNA) == "confirmed"
    assert fsck(installation, shop.org).findings == []
