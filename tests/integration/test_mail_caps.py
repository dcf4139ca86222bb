"""Caps on confirmation mails on both engines: many organisations, many spellings, many workers, one mailbox."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import delete, func, select

from consentledger.consents import service
from consentledger.consents.commands import DecideConfirmation, MailFacts, RenderedMail
from consentledger.db.engine import Database
from consentledger.db.installation import Installation, open_installation
from consentledger.db.keystore.rotation import rewrap_keys
from consentledger.db.models import CapKey
from consentledger.erasure import service as erasure
from consentledger.kernel.errors import ConfigurationError
from consentledger.limits import caps
from consentledger.limits.caps import Full, Mailbox
from consentledger.limits.models import MailCap
from consentledger.worker import housekeeping
from tests.factories import create_published_form
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import ADDRESS, People
from tests.support.installations import settings_from
from tests.support.keystores import apart

NOON = "2026-03-02T12:00:00+00:00"
DAY = 86_400
THREADS = 8
MASTER = "CONSENTLEDGER_MASTER_KEY"


def shops(installation: Installation, number: int) -> list[People]:
    """Organisations of one installation, each with a form."""
    return [
        People(
            installation.database,
            create_published_form(
                installation.database,
                installation.settings,
                titles=("weekly offers", "herb tips"),
                noise=False,
            ),
        )
        for _ in range(number)
    ]


def decided(shop: People, address: str = ADDRESS, *purposes: UUID) -> str:
    """Signs up and lets the worker do all of its part, if it may."""
    accepted = shop.sign_up(address, *purposes)
    decision = shop.decide(accepted)
    if decision.decision != "later":
        shop.handle(accepted, decision)
    return decision.decision


def rows(shop: People, model: type = MailCap) -> int:
    with shop.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs all acts at the same moment; an exception in any of them is raised."""
    barrier = threading.Barrier(len(acts))

    def begin(act: Callable[[], Any]) -> Any:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(begin, act) for act in acts]]


def test_three_organisations_mail_one_address_and_a_fourth_waits_its_turn(
    installation: Installation,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        *first, fourth = shops(installation, 4)
        for shop in first:
            assert decided(shop) == "send"
            clock.shift(3600)
        accepted = fourth.sign_up()
        size = fourth.size()
        decision = fourth.decide(accepted)
        assert decision.decision == "later"
        assert decision.run_at == datetime.fromisoformat(NOON) + timedelta(days=1)
        assert fourth.size() == size, "nothing is told while it waits"
        assert fourth.kinds() == ["consent.requested"]
        clock.shift(21 * 3600 - 1)
        assert fourth.decide(accepted).decision == "later"
        clock.shift(1)
        assert fourth.decide(accepted).decision == "send"
        assert len(fourth.mails) == 1
        assert fourth.kinds() == ["consent.requested", "confirmation.prepared"]


def test_spellings_of_one_mailbox_get_one_mail_of_an_organisation(
    installation: Installation,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop, other = shops(installation, 2)
        assert decided(shop, "alice+1@gmail.com") == "send"
        for spelling in ("a.lice@gmail.com", "Alice@GoogleMail.com", "alice+2@gmail.com"):
            size = shop.size()
            assert decided(shop, spelling) == "capped"
            assert shop.size() == size + 3
            assert shop.kinds(spelling)[-2:] == ["confirmation.prepared", "confirmation.handled"]
        assert decided(shop, "ALICE+1@gmail.com") == "capped", "it joins, as ever"
        assert decided(shop, "alice.b@gmail.com") == "send", "that is another mailbox"
        assert decided(other, "a.lice@gmail.com") == "send", "and that another organisation"
        assert len(shop.mails) == 2
        clock.shift(DAY)
        assert decided(shop, "a.lice@gmail.com") == "send"
        assert decided(shop, "alice+1@gmail.com") == "capped"


def test_whoever_confirmed_may_ask_for_more_at_once_up_to_the_cap(
    installation: Installation,
) -> None:
    [shop] = shops(installation, 1)
    shop.subscribe(ADDRESS, shop.made.purpose_ids[0])
    shop.subscribe(ADDRESS, shop.made.purpose_ids[1])
    shop.unsubscribe(shop.permit())
    assert decided(shop) == "send"
    assert len(shop.mails) == 3


def test_a_mail_that_its_peer_refused_counts_no_more(installation: Installation) -> None:
    shop, *others = shops(installation, 4)
    for _ in range(4):
        accepted = shop.sign_up("a.lice@gmail.com")
        decision = shop.decide(accepted)
        assert decision.decision == "send"
        shop.handle(accepted, decision, "refused")
        assert rows(shop) == 0
    assert decided(shop, "alice@gmail.com") == "send"
    assert [decided(one, "alice@gmail.com") for one in others] == ["send", "send", "later"]


@pytest.mark.parametrize("outcome", ["sent", "given_up"])
def test_a_mail_that_may_have_arrived_counts(installation: Installation, outcome: str) -> None:
    [shop] = shops(installation, 1)
    accepted = shop.sign_up("a.lice@gmail.com")
    shop.handle(accepted, shop.decide(accepted), outcome)
    assert decided(shop, "alice@gmail.com") == "capped"


def test_a_request_that_would_not_live_to_its_turn_is_capped(installation: Installation) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        *first, fourth = shops(installation, 4)
        accepted = fourth.sign_up()
        clock.shift(6 * DAY + 1)
        for shop in first:
            assert decided(shop) == "send"
        decision = fourth.decide(accepted)
        assert (decision.decision, decision.link_id) == ("capped", None)
        fourth.handle(accepted, decision)
        assert fourth.kinds() == [
            "consent.requested",
            "confirmation.prepared",
            "confirmation.handled",
        ]
        assert fourth.mails == []


def test_an_address_that_expired_since_its_mail_is_still_the_same_address(
    installation: Installation,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        [shop] = shops(installation, 1)
        accepted = shop.sign_up()
        clock.shift(7 * DAY - 2 * 3600)  # it waited, for its turn or for a worker
        shop.handle(accepted, shop.decide(accepted))
        clock.shift(2 * 3600)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        run_destroy(shop)
        assert shop.contact() is None
        assert decided(shop) == "capped"
        clock.shift(22 * 3600)
        assert decided(shop) == "send"
        assert len(shop.mails) == 2


def test_what_is_not_sent_counts_nothing(installation: Installation) -> None:
    shop, *others = shops(installation, 4)
    shop.subscribe()
    assert decided(shop) == "already_confirmed"
    shop.not_me(shop.ask(ADDRESS, shop.made.purpose_ids[1]) or b"")
    before = rows(shop)
    assert decided(shop) == "suppressed"
    assert rows(shop) == before
    assert [decided(one) for one in others] == ["send", "later", "later"]


def test_a_decision_that_rolls_back_keeps_no_claim(installation: Installation) -> None:
    [shop] = shops(installation, 1)
    command = DecideConfirmation(shop.org, shop.sign_up().request_id)

    def dies(_facts: MailFacts) -> RenderedMail:
        assert rows(shop) == 0, "nobody else sees it yet"
        raise MemoryError

    for _ in range(4):
        with pytest.raises(MemoryError), shop.database.begin() as tx:
            service.decide_confirmation(tx, command, dies)
        assert (rows(shop), rows(shop, CapKey)) == (0, 0)
    with shop.database.begin() as tx:
        assert service.decide_confirmation(tx, command, shop.render).decision == "send"


def test_many_organisations_at_once_send_three_mails(installation: Installation) -> None:
    many = shops(installation, 6)
    accepted = [shop.sign_up() for shop in many]
    acts = [partial(shop.decide, one) for shop, one in zip(many, accepted, strict=True)]
    decisions = at_once(acts)
    assert Counter(one.decision for one in decisions) == {"send": 3, "later": 3}
    assert sum(len(shop.mails) for shop in many) == 3


def test_many_spellings_at_once_get_one_mail(installation: Installation) -> None:
    [shop] = shops(installation, 1)
    accepted = [shop.sign_up(f"alice+{n}@gmail.com") for n in range(6)]
    decisions = at_once([partial(shop.decide, one) for one in accepted])
    assert Counter(one.decision for one in decisions) == {"send": 1, "capped": 5}


def test_at_midnight_workers_whose_clocks_differ_keep_to_the_caps(database: Database) -> None:
    """Half of them still live in yesterday while the others make today's key, all at the same moment."""

    def claim(at: datetime, folded: str) -> Full | None:
        with database.begin() as tx:
            tx.now = at
            return caps.claim(tx, Mailbox(uuid4(), folded, folded))

    for night in range(1, 7):
        midnight = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=3 * night)
        folded = f"victim{night}@example.com"
        if night % 2:  # with one mail and a key of yesterday, or with an empty table
            assert claim(midnight - timedelta(hours=9), folded) is None
        apart = timedelta(milliseconds=50)
        acts = [
            partial(claim, midnight + (apart if n % 2 else -apart), folded) for n in range(THREADS)
        ]
        assert at_once(acts).count(None) == 3 - night % 2


def test_each_day_has_a_key_of_its_own_and_no_row_says_whose_it_is(
    installation: Installation,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        [shop] = shops(installation, 1)
        for _ in range(3):
            shop.ask("victor.hugo@example.net")
            clock.shift(DAY)
        with shop.database.read() as session:
            keys = session.execute(select(CapKey.day, CapKey.wrapped)).all()
            hashes = session.scalars(select(MailCap.key_hash)).all()
            cells = b"".join(
                str(cell).encode() if not isinstance(cell, bytes) else cell
                for model in (CapKey, MailCap)
                for row in session.execute(select(*model.__table__.columns))
                for cell in row
            )
        assert len({bytes(row.wrapped) for row in keys}) == 3
        assert len(set(hashes)) == 6, "another hash each day, and another in the organisation"
        named = (b"victor", shop.org.bytes, shop.org.hex.encode(), str(shop.org).encode())
        assert not any(name in cells for name in named)
        clock.shift(DAY)
        assert housekeeping.sweep_limits(installation) == 6 + 3
        assert (rows(shop), rows(shop, CapKey)) == (0, 0)


def test_an_erased_address_leaves_keyed_hashes_that_end_by_themselves(
    installation: Installation,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        [shop] = shops(installation, 1)
        shop.ask("victor.hugo@example.net")
        clock.shift(7 * DAY)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        run_destroy(shop)
        assert shop.contact("victor.hugo@example.net") is None
        housekeeping.sweep_limits(installation)
        assert (rows(shop), rows(shop, CapKey)) == (0, 0)


def test_caps_outlive_a_new_master_key(
    installation: Installation, environment: dict[str, str]
) -> None:
    first, second, third = shops(installation, 3)
    assert decided(first, "alice@gmail.com") == "send"
    old, new = environment[MASTER], secrets.token_urlsafe(32)
    both = open_installation(settings_from({**environment, MASTER: f"{old},{new}"}))
    assert rewrap_keys(both.database).done
    both.database.close()
    only = open_installation(settings_from({**environment, MASTER: new}))
    assert decided(People(only.database, first.made), "a.lice@gmail.com") == "capped"
    assert decided(People(only.database, second.made), "a.lice@gmail.com") == "send"
    assert decided(People(only.database, third.made), "a.lice@gmail.com") == "send"
    mailbox = Mailbox(uuid4(), "alice@gmail.com", "alice@gmail.com")
    with only.database.begin() as tx:
        assert caps.claim(tx, mailbox) is not None
    only.database.close()
    with pytest.raises(ConfigurationError, match="MASTER_KEY"), first.database.begin() as tx:
        caps.claim(tx, mailbox)


@pytest.mark.parametrize("pair", ["sqlite+sqlite", "postgresql+postgresql"])
def test_where_keys_stand_apart_the_days_keys_do_too(
    pair: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with (
        apart(request, tmp_path, pair) as made,
        time_machine.travel(NOON, tick=False) as clock,
    ):
        installation, store = made.installation, made.installation.keystore.database
        assert store is not None

        def kept() -> list[bytes]:
            with store.read() as connection:
                return [bytes(wrapped) for wrapped in connection.scalars(select(CapKey.wrapped))]

        *first, fourth = shops(installation, 4)
        assert [decided(shop) for shop in first] == ["send"] * 3
        with installation.database.read() as session:
            assert session.scalars(select(CapKey.wrapped)).all() == [b""]
        assert [len(key) > 32 for key in kept()] == [True]
        assert decided(fourth) == "later"
        assert rewrap_keys(installation.database).keys == 3 * 4 + 4 + 1
        with store.write() as connection:  # the store was put back from an older copy
            connection.execute(delete(CapKey))
        assert decided(fourth) == "send", "nobody waits for a key that is gone"
        assert len(kept()) == 1
        clock.shift(2 * DAY)
        housekeeping.sweep_limits(installation)
        assert (kept(), rows(fourth), rows(fourth, CapKey)) == ([], 0, 0)
