"""Many at once, on both engines: one contact, one mail, one act per link, and no chain is torn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.contacts import service as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.db.log.entries import SOFTWARE
from consentledger.db.models import LogLeaf
from consentledger.erasure import service as erasure
from consentledger.erasure.rows import delete_contact
from consentledger.ledger.leaf import label, parse_leaf
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import ADDRESS, People, people

THREADS = 8


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has two boxes."""
    return people(installation, "weekly offers", "herb tips")


def at_once(shop: People, acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs all acts at the same moment; an exception in any of them is raised.

    The head is held meanwhile, so that every act has read and decided before the first one may append.
    """
    barrier = threading.Barrier(len(acts))

    def begin(act: Callable[[], Any]) -> Any:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        with shop.database.begin() as tx:
            tx.log.lock_head(tx, shop.org)
            running = [pool.submit(begin, act) for act in acts]
            time.sleep(0.3)
        return [future.result() for future in running]


def check_chain(shop: People, address: str = ADDRESS) -> None:
    """Checks labels, prev and standing of a contact against its entries."""
    contact = shop.contact(address)
    assert contact is not None
    entries = shop.entries(address)
    with shop.database.read() as session:
        keys = shop.database.log.keystore.contact_keys(session, shop.org, contact.key_id)
        rows = {
            index: (bytes(leaf), bytes(leaf_hash))
            for index, leaf, leaf_hash in session.execute(
                select(LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.leaf_hash).where(
                    LogLeaf.organisation_id == shop.org
                )
            )
        }
    prev = None
    for n, entry in enumerate(entries):
        leaf, leaf_hash = rows[entry.index]
        assert parse_leaf(leaf).label == label(keys.label, n)
        assert entry.values["prev"] == prev
        assert entry.values["software"] == SOFTWARE
        prev = leaf_hash.hex()
    assert contact.entries == len(entries)
    assert contact.last_leaf_hash is not None
    assert contact.last_leaf_hash.hex() == prev
    assert contact.standing == standings.replay((one.kind, one.values) for one in entries)


def test_many_sign_ups_of_one_new_address_are_one_contact(shop: People) -> None:
    at_once(shop, [shop.sign_up] * THREADS)
    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Contact)) == 1
    assert shop.kinds() == ["consent.requested"] * THREADS
    check_chain(shop)


def test_many_decisions_are_one_mail(shop: People) -> None:
    accepted = [shop.sign_up() for _ in range(THREADS)]
    decisions = at_once(shop, [lambda one=one: shop.decide(one) for one in accepted])
    assert sorted(one.decision for one in decisions) == ["capped"] * (THREADS - 1) + ["send"]
    assert len({one.link_id for one in decisions}) == 1
    assert len(shop.mails) == 1
    check_chain(shop)


def test_one_decision_taken_by_many_workers_is_one_mail(shop: People) -> None:
    accepted = shop.sign_up()
    decisions = at_once(shop, [lambda: shop.decide(accepted)] * THREADS)
    assert sorted(one.decision for one in decisions) == ["gone"] * (THREADS - 1) + ["send"]
    assert len(shop.mails) == 1
    check_chain(shop)


def test_many_presses_are_one_act(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    items = tuple(item.item_id for item in shop.page(link).items)
    done = at_once(shop, [lambda: shop.press(link, shown=items)] * THREADS)
    assert sorted(one.repeated for one in done) == [False] + [True] * (THREADS - 1)
    assert len({one.confirmed[0].index for one in done}) == 1
    assert shop.kinds().count("consent.confirmed") == 1
    check_chain(shop)


def test_many_presses_of_an_unsubscribe_link_are_one_act(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    done = at_once(shop, [lambda: shop.unsubscribe(link)] * THREADS)
    assert sorted(one.repeated for one in done) == [False] + [True] * (THREADS - 1)
    assert len({one.receipt.index for one in done}) == 1
    check_chain(shop)


def test_many_presses_after_an_erasure_are_one_act(shop: People) -> None:
    shop.subscribe()
    link = shop.permit()
    contact = shop.contact()
    assert contact is not None
    with shop.database.begin() as tx:
        [locked] = contacts.lock_rows(tx, shop.org, [contact.contact_id]).values()
        delete_contact(tx, locked)
    size = shop.size()
    done = at_once(shop, [lambda: shop.unsubscribe(link)] * THREADS)
    assert len({one.receipt.index for one in done}) == 1
    assert shop.size() == size + 1


def test_many_not_me_are_one_act(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    done = at_once(shop, [lambda: shop.not_me(link)] * THREADS)
    assert len({one.receipts[0].index for one in done}) == 1
    assert shop.kinds().count("consent.declined") == 1
    check_chain(shop)


def test_not_me_after_expiry_by_many_is_one_act(shop: People) -> None:
    with time_machine.travel("2026-03-02T12:00:00+00:00", tick=False) as clock:
        link = shop.ask()
        assert link is not None
        clock.shift(8 * 86_400)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        run_destroy(shop)
        size = shop.size()
        done = at_once(shop, [lambda: shop.not_me(link)] * THREADS)
        assert len({one.receipts[0].index for one in done}) == 1
        assert shop.size() == size + 1


def test_a_press_and_a_stop_at_once_leave_one_truth(shop: People) -> None:
    for n in range(6):
        address = f"racer{n}@example.com"
        shop.subscribe(address)
        permit = shop.permit(address)
        shop.unsubscribe(permit)
        link = shop.ask(address)
        assert link is not None
        items = tuple(item.item_id for item in shop.page(link).items)
        at_once(
            shop,
            [
                lambda link=link, items=items: shop.press(link, shown=items),
                lambda permit=permit: shop.unsubscribe(permit),
                lambda address=address: shop.stop(address),
                lambda link=link: shop.not_me(link),
            ],
        )
        assert shop.state(address) != "confirmed"
        check_chain(shop, address)


def test_a_sign_up_while_its_expiry_is_carried_out_is_never_lost(shop: People) -> None:
    for n in range(6):
        address = f"late{n}@example.com"
        with time_machine.travel("2026-03-02T12:00:00+00:00", tick=False) as clock:
            shop.ask(address)
            clock.shift(8 * 86_400)
            erasure.expire_due(shop.database)
            erasure.erase_due(shop.database)
            accepted, _ = at_once(
                shop, [lambda address=address: shop.sign_up(address), lambda: run_destroy(shop)]
            )
            entry = next(one for one in shop.entries(address) if one.index == accepted.index)
            assert entry.values["request"] == str(accepted.request_id)
            assert shop.decide(accepted).decision == "send"


def test_different_people_do_not_wait_for_each_other_in_vain(shop: People) -> None:
    addresses = [f"person{n}@example.com" for n in range(THREADS)]
    at_once(shop, [lambda one=one: shop.subscribe(one) for one in addresses])
    for address in addresses:
        assert shop.state(address) == "confirmed"
        check_chain(shop, address)
