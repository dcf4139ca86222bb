"""What nobody confirmed goes: provably, from all tables, and only after the log says so; on both engines."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import inspect, select

from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.db.models import ContactKey, LogLeaf, Opening
from consentledger.db.tables import metadata
from consentledger.erasure import rows, service
from consentledger.erasure.rules import Plan, parts_of, ranges_of
from consentledger.ledger.leaf import parse_leaf
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import People, people, raw_bytes

NOON = "2026-03-02T12:00:00+00:00"
DAY = 86_400
PLANTED = "planted.person@hidden.example"
IP = "203.0.113"  # the beginning of what every act in these tests comes from


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop with one subscriber who stays."""
    made = people(installation, "weekly offers", "herb tips")
    with time_machine.travel("2026-03-01T12:00:00+00:00", tick=False):
        made.subscribe("stays@example.com")
    return made


def _end(shop: People) -> int:
    service.expire_due(shop.database)
    service.erase_due(shop.database)
    return run_destroy(shop)


def _leaves(shop: People) -> list[bytes]:
    with shop.database.read() as session:
        query = select(LogLeaf.leaf).where(LogLeaf.organisation_id == shop.org)
        return [bytes(leaf) for leaf in session.scalars(query.order_by(LogLeaf.entry_index))]


def test_nothing_of_an_unconfirmed_person_is_left(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask(PLANTED, page="https://shop.example/planted-page")
        clock.shift(7 * DAY + 1)
        assert _end(shop) == 1
    assert shop.contact(PLANTED) is None
    stored = raw_bytes(shop.database)
    for planted in (
        PLANTED,
        PLANTED.upper(),
        "planted.person",
        "hidden.example",
        IP,
        "planted-page",
    ):
        assert planted.encode() not in stored
    assert link is not None
    assert shop.page(link).state == "expired"
    assert len(shop.entries("stays@example.com")) == 4


def test_even_while_it_lives_the_address_is_stored_sealed_only(shop: People) -> None:
    shop.ask(PLANTED, origin="https://shop.example")
    stored = raw_bytes(shop.database)
    for planted in (PLANTED, "planted.person", "hidden.example", "203.0.113.77", "203.0.113.0"):
        assert planted.encode() not in stored


def test_the_log_says_what_went_before_it_goes(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask(PLANTED)
        first = shop.entries(PLANTED)[0].index
        clock.shift(7 * DAY)
        assert service.expire_due(shop.database) == 1
        assert shop.kinds(PLANTED)[-1] == "consent.expired"
        assert service.erase_due(shop.database) == 1
        assert [len(entry.values) > 3 for entry in shop.entries(PLANTED)] == [True] * 4
        leaf = parse_leaf(_leaves(shop)[-1])
        assert leaf.kind_name == "log.erasure"
        assert leaf.plain == {
            "classes": "core,technical,copy",
            "part": "1/1",
            "permits": "none",
            "ranges": f"{first}-{first + 3}",
            "reason": "expired",
        }
        assert run_destroy(shop) == 1
        assert service.expire_due(shop.database) == 0
        assert service.erase_due(shop.database) == 0
        with shop.database.read() as session:
            left = session.scalars(
                select(Opening.entry_index).where(
                    Opening.organisation_id == shop.org,
                    Opening.entry_index.between(first, first + 3),
                )
            ).all()
        assert left == []


def test_not_me_works_after_the_expiry_by_keyed_hash_only(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask(PLANTED)
        assert link is not None
        clock.shift(8 * DAY)
        _end(shop)
        clock.shift(80 * DAY)
        declined = shop.not_me(link)
        assert "\ns " not in shop.last_leaf()
        assert "kind consent.declined/1" in shop.last_leaf()
        size = shop.size()
        assert [one.index for one in shop.not_me(link).receipts] == [
            one.index for one in declined.receipts
        ]
        assert shop.size() == size
        accepted = shop.sign_up(PLANTED)
        assert shop.decide(accepted).decision == "suppressed"


def test_a_person_who_came_back_meanwhile_keeps_their_key(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask(PLANTED)
        clock.shift(7 * DAY)
        service.expire_due(shop.database)
        service.erase_due(shop.database)
        link = shop.ask(PLANTED)
        assert link is not None
        run_destroy(shop)
        assert [entry.kind for entry in shop.entries(PLANTED) if entry.values] == [
            "consent.requested",
            "confirmation.prepared",
            "confirmation.handled",
        ]
        assert shop.press(link).confirmed
        assert shop.state(PLANTED) == "confirmed"


def test_an_expiry_beside_a_living_consent_takes_only_its_own(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask("stays@example.com", shop.made.purpose_ids[1])
        clock.shift(7 * DAY)
        assert _end(shop) == 1
        assert shop.state("stays@example.com") == "confirmed"
        opened = [bool(entry.values) for entry in shop.entries("stays@example.com")]
        assert opened == [True] * 4 + [False] * 4
        shop.unsubscribe(shop.permit("stays@example.com"))
        assert shop.state("stays@example.com") == "withdrawn"


def test_a_pause_of_a_stranger_ends_with_its_seven_days(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.stop(PLANTED)
        clock.shift(7 * DAY - 1)
        assert _end(shop) == 0
        assert shop.contact(PLANTED) is not None
        clock.shift(1)
        assert _end(shop) == 1
    assert shop.contact(PLANTED) is None
    assert PLANTED.encode() not in raw_bytes(shop.database)


def test_a_final_stop_keeps_its_contact(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        asked = shop.stop(PLANTED)
        shop.stop_link(asked.link_id)
        clock.shift(400 * DAY)
        assert _end(shop) == 0
        assert shop.contact(PLANTED) is not None


def test_a_declined_request_goes_after_ninety_days(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.not_me(shop.ask(PLANTED) or b"")
        clock.shift(89 * DAY)
        assert _end(shop) == 0
        clock.shift(DAY)
        assert _end(shop) == 1
        assert shop.contact(PLANTED) is None
        accepted = shop.sign_up(PLANTED)
        assert shop.decide(accepted).decision == "suppressed"


def test_what_has_simply_ended_is_swept(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.not_me(shop.ask(PLANTED) or b"")
        clock.shift(91 * DAY)
        _end(shop)
        assert service.sweep(shop.database)["links"] == 1
        clock.shift(300 * DAY)
        assert service.sweep(shop.database)["suppressions"] == 1


def test_another_organisations_people_stay(shop: People, installation: Installation) -> None:
    other = people(installation)
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask(PLANTED)
        clock.shift(5 * DAY)
        other.ask(PLANTED)
        clock.shift(2 * DAY)
        assert _end(shop) == 1
    assert shop.contact(PLANTED) is None
    assert other.contact(PLANTED) is not None


def test_every_table_that_knows_a_contact_is_named(shop: People) -> None:
    knowing = {
        table.name
        for table in metadata().sorted_tables
        if {"contact_id", "key_id"} & set(table.columns.keys())
    }
    assert knowing - {"api_key"} == set(rows.TABLES)
    assert inspect(Contact).local_table.name in rows.TABLES
    assert inspect(ContactKey).local_table.name in rows.TABLES


def test_ranges() -> None:
    assert ranges_of([9, 3, 5, 4, 3]) == ["3-5", "9"]
    assert ranges_of([]) == []
    many = ranges_of(range(0, 8000, 2))
    parts = parts_of(many)
    assert [part["part"] for part in parts] == ["1/3", "2/3", "3/3"]
    assert ",".join(part["ranges"] for part in parts).split(",") == many
    assert all(len(part["ranges"]) < 60_000 for part in parts)


def test_plans_travel_as_json() -> None:
    from uuid import uuid4

    plan = Plan(uuid4(), True, 4, (1, 2, 3), (uuid4(),))
    assert Plan.from_json(plan.as_json()) == plan
