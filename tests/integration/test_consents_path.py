"""The path of a consent through the verbs, on both engines: ask, decide, confirm, drop, decline."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
import time_machine

from consentledger.consents import queries, service
from consentledger.consents.commands import ConfirmConsents, NotMe
from consentledger.contacts import standing as standings
from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.kernel.tokens import pack_link
from tests.support.consents import ADDRESS, People, people

NOON = "2026-03-02T12:00:00+00:00"


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has three boxes."""
    return people(installation, "weekly offers", "herb tips", "events")


def test_a_sign_up_becomes_a_consent(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    page = shop.page(link)
    assert page.state == "open"
    assert [item.purpose_id for item in page.items] == [shop.made.purpose_ids[0]]
    done = shop.press(link)
    assert len(done.confirmed) == 1
    assert done.confirmed[0].disclosures
    assert shop.kinds() == [
        "consent.requested",
        "confirmation.prepared",
        "confirmation.handled",
        "consent.confirmed",
    ]
    contact = shop.contact()
    assert contact is not None
    state = standings.consent_state(
        contact.standing, shop.made.sender_id, shop.made.purpose_ids[0], "email", now()
    )
    assert state == "confirmed"
    entry = shop.entries()[-1]
    assert entry.index == done.confirmed[0].index
    assert entry.values["method"] == "press"
    assert entry.values["ip"] == "203.0.113.77"
    assert entry.values["user_agent"] == "Firefox 131"
    assert entry.values["reopens"] is False
    assert entry.values["wording_id"] == str(shop.made.wording_ids[0])


def test_the_request_holds_its_evidence(shop: People) -> None:
    shop.sign_up(
        ADDRESS,
        shop.made.purpose_ids[1],
        page="https://shop.example/basket?email=alice%40example.com#top",
        origin="https://shop.example",
        source="iframe",
    )
    [entry] = shop.entries()
    boxes = shop.made.purpose_ids
    assert entry.values["boxes_before"] == [f"{box}=empty" for box in boxes]
    assert entry.values["boxes_after"] == [
        f"{box}={'ticked' if box == boxes[1] else 'empty'}" for box in boxes
    ]
    assert entry.values["page"] == "https://shop.example/basket"
    assert entry.values["ip"] == "203.0.113.0/24"
    assert entry.values["address"] == ADDRESS
    assert list(entry.values["wording"]) == list(shop.made.form.text)
    assert entry.values["controllers"] == ["Alpenkraut Versand GmbH"]


def test_dropped_boxes_are_declined(shop: People) -> None:
    link = shop.ask(ADDRESS, *shop.made.purpose_ids[:2])
    assert link is not None
    items = shop.page(link).items
    done = shop.press(link, keep=(items[1].item_id,))
    assert [receipt.scope for receipt in done.confirmed] == [items[1].item_id]
    assert [receipt.scope for receipt in done.dropped] == [items[0].item_id]
    assert shop.kinds()[-2:] == ["consent.declined", "consent.confirmed"]
    assert shop.entries()[-2].values["reason"] == "dropped"


def test_dropping_everything_confirms_nothing(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    done = shop.press(link, keep=())
    assert done.confirmed == ()
    assert shop.page(link).state == "used"
    assert shop.kinds()[-1] == "consent.declined"


def test_a_repeated_press_gives_the_same_receipt(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    items = tuple(item.item_id for item in shop.page(link).items)
    first = shop.press(link)
    size = shop.size()
    again = shop.press(link, shown=items)
    assert again.repeated
    assert again.state == "used"
    assert [one.index for one in again.confirmed] == [one.index for one in first.confirmed]
    assert [one.leaf_hash for one in again.confirmed] == [one.leaf_hash for one in first.confirmed]
    assert again.confirmed[0].disclosures == ()
    assert again.confirmed[0].leaf is None
    assert shop.size() == size
    assert shop.page(link).state == "used"


@pytest.mark.parametrize(
    "item", ["", "x", "0" * 65, f"{UUID(int=1)}-{UUID(int=2)}", f"{'G' * 32}-{'0' * 32}"]
)
def test_items_that_are_none_are_refused(shop: People, item: str) -> None:
    link = shop.ask()
    assert link is not None
    with pytest.raises(InputError):
        shop.press(link, shown=(item,))


def test_what_the_page_did_not_show_is_not_confirmed(shop: People) -> None:
    link = shop.ask(ADDRESS, *shop.made.purpose_ids[:2])
    assert link is not None
    first, second = (item.item_id for item in shop.page(link).items)
    with pytest.raises(InputError, match="did not show"):
        shop.press(link, shown=(first,), keep=(first, second))
    shop.press(link, shown=(first,), keep=(first,))
    assert [item.item_id for item in shop.page(link).items] == [second]


def test_an_item_of_another_link_does_nothing(shop: People) -> None:
    mine, other = shop.ask(), shop.ask("bob@example.com")
    assert mine is not None
    assert other is not None
    foreign = tuple(item.item_id for item in shop.page(other).items)
    size = shop.size()
    assert shop.press(mine, shown=foreign).confirmed == ()
    assert shop.size() == size
    assert shop.page(mine).state == "open"
    assert shop.page(other).state == "open"


def test_a_link_of_another_organisation_is_not_known(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    foreign = pack_link(shop.made.organisation.number + 1, link[4:])
    with pytest.raises(NotFoundError), shop.database.begin() as tx:
        service.confirm(tx, ConfirmConsents(foreign, ("0" * 32 + "-" + "0" * 32,), ()))
    with pytest.raises(NotFoundError), shop.database.begin() as tx:
        service.decline(tx, NotMe(foreign))
    with pytest.raises(NotFoundError):
        shop.page(foreign)


def test_unknown_boxes_are_refused_before_anything_is_written(shop: People) -> None:
    size = shop.size()
    for ticked in ((uuid4(),), (), (shop.made.purpose_ids[0],) * 2):
        with pytest.raises(InputError) as caught:
            _request(shop, ticked)
        assert caught.value.field == "purpose"
    assert shop.size() == size
    assert shop.contact() is None


def _request(shop: People, ticked: tuple[UUID, ...]) -> None:
    from consentledger.consents.commands import RequestConsent

    with shop.database.begin() as tx:
        service.request(tx, RequestConsent(shop.made.form, ADDRESS, ticked))


def test_reading_the_page_writes_nothing(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    size = shop.size()
    for _ in range(3):
        assert shop.page(link).state == "open"
    assert shop.size() == size


def test_a_request_that_nobody_confirmed_in_time_can_not_be_confirmed(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask()
        assert link is not None
        items = tuple(item.item_id for item in shop.page(link).items)
        clock.shift(7 * 86400)
        assert shop.page(link).state == "expired"
        size = shop.size()
        done = shop.press(link, shown=items)
        assert (done.state, done.confirmed) == ("expired", ())
        assert shop.size() == size


def test_the_ip_follows_the_policy(shop: People) -> None:
    from consentledger.organisations.models import Organisation

    with shop.database.begin() as tx:
        row = tx.session.get(Organisation, shop.org)
        assert row is not None
        row.ip_policy = "truncated"
    shop.subscribe()
    assert shop.entries()[-1].values["ip"] == "203.0.113.0/24"


def test_two_requests_for_one_thing_are_one_consent(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    assert shop.ask() == link
    done = shop.press(link)
    assert len(done.confirmed) == 2
    contact = shop.contact()
    assert contact is not None
    with shop.database.read() as session:
        assert len(queries.consents_of(session, shop.org, contact.contact_id)) == 1


def test_fetches_of_a_link_are_counted_until_it_is_used(shop: People) -> None:
    from sqlalchemy import select

    from consentledger.consents.fetching import count_fetch
    from consentledger.consents.models import ConfirmationMail

    link = shop.ask()
    assert link is not None
    size = shop.size()
    with time_machine.travel(NOON, tick=False) as clock:
        count_fetch(shop.database, link)
        clock.shift(60)
        count_fetch(shop.database, link)
        count_fetch(shop.database, pack_link(1, b"unknown!"))
    shop.press(link)
    count_fetch(shop.database, link)
    with shop.database.read() as session:
        query = select(ConfirmationMail.fetches, ConfirmationMail.first_fetch_at)
        [(fetches, first)] = session.execute(query).all()
    assert fetches == 2
    assert first is not None
    assert first.isoformat() == NOON
    assert shop.size() == size + 1


def test_a_fetch_that_can_not_be_counted_is_ignored(shop: People) -> None:
    from consentledger.consents.fetching import count_fetch
    from consentledger.db.engine import Database

    url = "postgresql://nobody@127.0.0.1:1/none"
    gone = Database(url, log=shop.database.log)
    count_fetch(gone, pack_link(1, b"unknown!"))
    gone.close()
