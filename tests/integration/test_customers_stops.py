"""A stop on a message that came on the existing-customer exception objects to all such marketing on the channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update

from consentledger.db.installation import Installation
from consentledger.permits.models import PermitBatch
from consentledger.replay.service import fsck
from consentledger.stops import service as stops
from tests.support.consents import RULING, People, people
from tests.support.customers import record, sale

ANNA = "anna@example.com"


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop with two purposes and one customer."""
    made = people(installation, "weekly offers", "herb tips")
    record(made.database, made.org, sale())
    return made


def customer_permit(shop: People) -> bytes:
    """Writes a permit on the exception, the second ruling of its batch; returns its link."""
    link = shop.permit(ANNA)
    batch = int.from_bytes(link[4:10], "big")
    rulings = [{**RULING, "basis": "existing_customer"}, RULING]
    with shop.database.begin() as tx:
        tx.session.execute(
            update(PermitBatch).where(PermitBatch.batch == batch).values(verdicts=rulings)
        )
    return link


def standing(shop: People) -> Mapping[str, Any]:
    """What stands of the customer."""
    contact = shop.contact(ANNA)
    assert contact is not None
    return contact.standing


def findings(installation: Installation, shop: People) -> list[Any]:
    """What fsck finds, permits left out: theirs are rows without an entry."""
    found = fsck(installation, shop.org).findings
    return [one for one in found if not one.where.startswith("permit")]


def test_it_is_an_objection_beside_the_stop(installation: Installation, shop: People) -> None:
    link = customer_permit(shop)
    stopped = shop.unsubscribe(link)
    assert stopped.as_customer
    assert shop.kinds(ANNA) == ["customer.recorded", "objection.recorded", "customer.objected"]
    stop, objected = shop.entries(ANNA)[1:]
    assert stopped.receipt.index == stop.index, "the receipt is that of the act itself"
    assert objected.values["permit"] == stop.values["permit"]
    assert standing(shop)["closed"] == {"email": 2}
    again = shop.unsubscribe(link)
    assert (again.repeated, again.as_customer) == (True, True)
    assert again.receipt.index == stop.index
    record(shop.database, shop.org, sale(reference="A-2"))
    assert standing(shop)["closed"] == {"email": 2}
    assert findings(installation, shop) == []


def test_a_stop_of_a_consent_is_no_objection_as_a_customer(shop: People) -> None:
    shop.subscribe(ANNA)
    stopped = shop.unsubscribe(shop.permit(ANNA))
    assert not stopped.as_customer
    assert "customer.objected" not in shop.kinds(ANNA)


def test_what_was_opened_again_is_stopped_again(installation: Installation, shop: People) -> None:
    link = customer_permit(shop)
    shop.unsubscribe(link)
    shop.subscribe(ANNA, shop.made.purpose_ids[1])
    assert standing(shop)["closed"] == {}
    again = shop.unsubscribe(link)
    assert not again.repeated
    assert "email" in standing(shop)["closed"]
    assert shop.state(ANNA, shop.made.purpose_ids[1]) == "confirmed"
    assert findings(installation, shop) == []


def test_a_customer_may_stop_by_address(shop: People) -> None:
    """Nothing was agreed to, but there is something to stop: so the one mail goes out."""
    asked = shop.stop(ANNA)
    with shop.database.begin() as tx:
        assert stops.decide_stop(tx, asked.link_id) is not None
    shop.stop_link(asked.link_id)
    assert "email" in standing(shop)["closed"]
    later = shop.stop(ANNA)
    with shop.database.begin() as tx:
        assert stops.decide_stop(tx, later.link_id) is None


def test_the_answer_is_the_same_once_the_person_is_forgotten(
    installation: Installation, shop: People
) -> None:
    link = customer_permit(shop)
    with shop.database.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE permit SET contact_id = NULL")
    stopped = shop.unsubscribe(link)
    assert stopped.as_customer
    assert shop.kinds(ANNA) == ["customer.recorded"]
