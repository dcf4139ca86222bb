"""Every way to say stop, on both engines: first, again, after a new consent, after an erasure."""

from __future__ import annotations

import base64

import pytest
import time_machine

from consentledger.contacts import standing as standings
from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.erasure.rows import delete_contact
from consentledger.kernel.clock import from_text, now
from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.kernel.tokens import pack_link
from consentledger.ledger.disclosure import parse_disclosure
from consentledger.stops import queries, service
from consentledger.stops.commands import StopByAddress, Withdraw
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import ADDRESS, People, people

NOON = "2026-03-02T12:00:00+00:00"


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has two boxes; somebody else is subscribed too, so that a wrong filter fails."""
    made = people(installation, "weekly offers", "herb tips")
    made.subscribe("noise@example.com", *made.made.purpose_ids)
    return made


def test_one_click_withdraws_the_consent_of_the_permit(shop: People) -> None:
    shop.subscribe(ADDRESS, *shop.made.purpose_ids)
    link = shop.permit()
    stopped = shop.unsubscribe(link)
    assert (stopped.repeated, stopped.scope, stopped.channel) == (False, "purpose", "email")
    assert shop.state() == "withdrawn"
    assert shop.state(purpose=shop.made.purpose_ids[1]) == "confirmed"
    assert shop.state("noise@example.com") == "confirmed"
    entry = shop.entries()[-1]
    assert entry.kind == "consent.withdrawn"
    assert entry.index == stopped.receipt.index
    assert entry.values["method"] == "one_click"
    assert entry.values["permit"] == base64.urlsafe_b64encode(link).decode()


def test_a_receipt_of_a_stop_opens_nothing_personal(shop: People) -> None:
    shop.subscribe()
    first = shop.unsubscribe(shop.permit())
    names = {parse_disclosure(text)[1] for text in first.receipt.disclosures}
    assert names == {"at", "method"}
    second = shop.unsubscribe(shop.permit())
    assert {parse_disclosure(text)[1] for text in second.receipt.disclosures} == {
        "at",
        "method",
        "scope",
    }


def test_a_repeat_gives_the_first_receipt_and_appends_nothing(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    first = shop.unsubscribe(link)
    size = shop.size()
    for method in ("one_click", "page", "one_click"):
        again = shop.unsubscribe(link, method)
        assert again.repeated
        assert (again.receipt.index, again.receipt.leaf_hash) == (
            first.receipt.index,
            first.receipt.leaf_hash,
        )
        assert (again.receipt.leaf, again.receipt.disclosures) == (None, ())
    assert shop.size() == size


def test_another_permit_of_the_same_consent_records_an_objection(shop: People) -> None:
    shop.subscribe()
    links = [shop.permit(), shop.permit()]
    shop.unsubscribe(links[0])
    shop.unsubscribe(links[1], "page")
    entry = shop.entries()[-1]
    assert entry.kind == "objection.recorded"
    assert (entry.values["scope"], entry.values["method"]) == ("purpose", "page")
    assert entry.values["until"] is None


def test_a_later_confirmed_act_opens_again_and_the_old_link_stops_again(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    first = shop.unsubscribe(link)
    shop.subscribe()
    assert shop.state() == "confirmed"
    assert shop.entries()[-1].values["reopens"] is True
    again = shop.unsubscribe(link)
    assert not again.repeated
    assert again.receipt.index > first.receipt.index
    assert shop.state() == "withdrawn"
    size = shop.size()
    assert shop.unsubscribe(link).receipt.index == again.receipt.index
    assert shop.size() == size


def test_everything_of_this_organisation(shop: People) -> None:
    shop.subscribe(ADDRESS, *shop.made.purpose_ids)
    link = shop.permit()
    shop.unsubscribe(link)
    wide = shop.unsubscribe(link, "page", "organisation")
    assert not wide.repeated
    assert [shop.state(purpose=one) for one in shop.made.purpose_ids] == ["withdrawn"] * 2
    entry = shop.entries()[-1]
    assert (entry.kind, entry.values["scope"]) == ("objection.recorded", "organisation")
    assert (entry.values["sender"], entry.values["purpose"]) == (None, None)
    size = shop.size()
    assert shop.unsubscribe(link, "page", "organisation").repeated
    assert shop.size() == size
    shop.subscribe()
    assert shop.state() == "confirmed"
    assert shop.state(purpose=shop.made.purpose_ids[1]) == "withdrawn"
    assert not shop.unsubscribe(link, "page", "organisation").repeated
    assert shop.state() == "withdrawn"


def test_a_confirm_link_that_is_older_than_the_stop_brings_nothing_back(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.subscribe()
        clock.shift(86_401)
        link = shop.ask(ADDRESS, shop.made.purpose_ids[1])
        assert link is not None
        items = tuple(item.item_id for item in shop.page(link).items)
        shop.unsubscribe(shop.permit(), "page", "organisation")
        size = shop.size()
        done = shop.press(link, shown=items)
        assert (done.state, done.confirmed, done.stopped) == ("stopped", (), items)
        assert shop.size() == size
        assert shop.state(purpose=shop.made.purpose_ids[1]) == "none"
        clock.shift(86_401)
        newer = shop.ask(ADDRESS, shop.made.purpose_ids[1])
        assert newer is not None
        assert shop.press(newer).confirmed
        assert shop.state(purpose=shop.made.purpose_ids[1]) == "confirmed"


def test_a_link_of_an_erased_contact_appends_without_contact_once(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    with shop.database.begin() as tx:
        from consentledger.contacts.service import lock_rows

        contact = tx.session.query(Contact).filter_by(contact_id=_id(shop)).one()
        delete_contact(tx, lock_rows(tx, shop.org, [contact.contact_id])[contact.contact_id])
    first = shop.unsubscribe(link)
    assert "\ns " not in shop.last_leaf()
    assert "kind objection.recorded/1" in shop.last_leaf()
    assert not first.repeated
    size = shop.size()
    again = shop.unsubscribe(link)
    assert again.repeated
    assert again.receipt.index == first.receipt.index
    assert shop.size() == size


def _id(shop: People) -> object:
    contact = shop.contact()
    assert contact is not None
    return contact.contact_id


def test_a_link_whose_batch_is_not_here_still_stops(shop: People) -> None:
    link = pack_link(shop.made.organisation.number, b"\xff" * 8)
    first = shop.unsubscribe(link)
    assert (first.sender_id, first.repeated) == (None, False)
    assert shop.unsubscribe(link).receipt.index == first.receipt.index
    with pytest.raises(NotFoundError):
        shop.unsubscribe(pack_link(4_000_000_000, b"\xff" * 8))


def test_the_page_is_alike_before_and_after(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    with shop.database.read() as session:
        before = queries.unsubscribe_page(session, link)
    size = shop.size()
    shop.unsubscribe(link)
    with shop.database.read() as session:
        assert queries.unsubscribe_page(session, link) == before
    assert shop.size() == size + 1


def test_a_stop_by_address_pauses_for_seven_days(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.subscribe(ADDRESS, *shop.made.purpose_ids)
        asked = shop.stop()
        assert shop.state() == "paused"
        assert shop.state("noise@example.com") == "confirmed"
        entry = shop.entries()[-1]
        assert (entry.kind, entry.values["method"]) == ("objection.recorded", "stop_form")
        assert from_text(str(entry.values["until"])) == asked.until_at
        clock.shift(7 * 86_400 - 1)
        assert shop.state() == "paused"
        clock.shift(1)
        assert shop.state() == "confirmed"


def test_the_mailed_link_makes_a_stop_final(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.subscribe()
        asked = shop.stop()
        with shop.database.begin() as tx:
            mail = service.decide_stop(tx, asked.link_id)
        assert mail is not None
        assert (mail.address, mail.link_id) == (ADDRESS, asked.link_id)
        final = shop.stop_link(asked.link_id)
        assert final.scope == "sender"
        clock.shift(30 * 86_400)
        assert shop.state() == "withdrawn"
        size = shop.size()
        again = shop.stop_link(asked.link_id)
        assert (again.repeated, again.receipt.index) == (True, final.receipt.index)
        assert shop.size() == size


def test_only_addresses_on_record_get_the_mail_and_only_once_a_day(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask("pending@example.com")
        shop.subscribe()
        mailed = []
        for address in (ADDRESS, ADDRESS, "pending@example.com", "unknown@example.com"):
            asked = shop.stop(address)
            with shop.database.begin() as tx:
                mailed.append(service.decide_stop(tx, asked.link_id) is not None)
            with shop.database.begin() as tx:
                assert service.decide_stop(tx, asked.link_id) is None
            clock.shift(60)
        assert mailed == [True, False, False, False]
        clock.shift(86_400)
        asked = shop.stop()
        with shop.database.begin() as tx:
            assert service.decide_stop(tx, asked.link_id) is not None


def test_a_stop_of_a_bad_address_writes_nothing(shop: People) -> None:
    size = shop.size()
    with pytest.raises(InputError):
        shop.stop("no address")
    assert shop.size() == size


def test_a_withdrawal_on_a_persons_behalf(shop: People) -> None:
    shop.subscribe(ADDRESS, *shop.made.purpose_ids)
    sender, purpose = shop.made.sender_id, shop.made.purpose_ids[0]
    with shop.database.begin() as tx:
        done = service.withdraw(tx, Withdraw(shop.org, ADDRESS, "key:x", sender, purpose))
    assert done.scope == "purpose"
    entry = shop.entries()[-1]
    assert (entry.kind, entry.values["method"], entry.values["actor"]) == (
        "consent.withdrawn",
        "api",
        "key:x",
    )
    with shop.database.begin() as tx:
        service.withdraw(tx, Withdraw(shop.org, ADDRESS.upper(), "key:x"))
    assert shop.entries()[-1].values["scope"] == "organisation"
    assert shop.state(purpose=shop.made.purpose_ids[1]) == "withdrawn"


def test_a_withdrawal_for_an_unknown_address_is_kept(shop: People) -> None:
    sender = shop.made.sender_id
    with shop.database.begin() as tx:
        service.withdraw(tx, Withdraw(shop.org, "new@example.com", "key:x", sender))
    contact = shop.contact("new@example.com")
    assert contact is not None
    purpose = shop.made.purpose_ids[0]
    found = standings.objection(contact.standing, sender, purpose, "email", now())
    assert found is not None
    assert found["scope"] == "sender"


def test_a_request_older_than_a_one_click_is_void(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.subscribe()
        permit = shop.permit()
        clock.shift(60)
        link = shop.ask(ADDRESS, *shop.made.purpose_ids)
        assert link is not None
        items = tuple(item.item_id for item in shop.page(link).items)
        shop.unsubscribe(permit)
        done = shop.press(link, shown=items)
        assert done.stopped == items[:1]
        assert [one.scope for one in done.confirmed] == [items[1]]
        assert shop.state() == "withdrawn"
        assert shop.state(purpose=shop.made.purpose_ids[1]) == "confirmed"


def test_names_of_others_are_refused_before_anything_is_written(
    shop: People, installation: Installation
) -> None:
    other = people(installation)
    size = shop.size()
    mine, theirs = shop.made, other.made
    for sender, purpose, error in (
        (theirs.sender_id, None, NotFoundError),
        (mine.sender_id, theirs.purpose_ids[0], NotFoundError),
        (None, mine.purpose_ids[0], InputError),
    ):
        with pytest.raises(error), shop.database.begin() as tx:
            service.withdraw(tx, Withdraw(shop.org, ADDRESS, "key:x", sender, purpose))
    command = StopByAddress(shop.org, theirs.sender_id, ADDRESS, "en")
    with pytest.raises(NotFoundError), shop.database.begin() as tx:
        service.stop_by_address(tx, command)
    assert shop.size() == size
    assert shop.contact() is None


def test_a_stop_link_of_a_contact_that_is_gone_still_stops_once(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        asked = shop.stop("stranger@example.com")
        clock.shift(8 * 86_400)
        erasure.erase_due(shop.database)
        run_destroy(shop)
        assert shop.contact("stranger@example.com") is None
        first = shop.stop_link(asked.link_id)
        assert "\ns " not in shop.last_leaf()
        size = shop.size()
        assert shop.stop_link(asked.link_id).receipt.index == first.receipt.index
        assert shop.size() == size
