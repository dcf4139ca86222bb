"""One confirmation mail, and no more (promise 8), on both engines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.consents import service
from consentledger.consents.commands import DecideConfirmation
from consentledger.consents.models import ConfirmationMail
from consentledger.db.installation import Installation
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import pack_link
from consentledger.outbox.models import OutboxRow
from tests.support.consents import ADDRESS, People, people

NOON = "2026-03-02T12:00:00+00:00"
DAY = 86_400


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has two boxes."""
    return people(installation, "weekly offers", "herb tips")


def _decided(shop: People, address: str = ADDRESS, *purposes: UUID) -> str:
    accepted = shop.sign_up(address, *purposes)
    decision = shop.decide(accepted)
    shop.handle(accepted, decision)
    return decision.decision


def test_a_second_request_joins_the_pending_mail(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask()
        assert link is not None
        assert not shop.page(link).several
        clock.shift(DAY - 1)
        assert _decided(shop, ADDRESS, shop.made.purpose_ids[1]) == "capped"
        page = shop.page(link)
        assert page.several
        assert [item.purpose_id for item in page.items] == list(shop.made.purpose_ids)
        assert len({item.expires_at for item in page.items}) == 2
        assert len(shop.mails) == 1
        assert [
            entry.values["outcome"] for entry in shop.entries() if entry.kind.endswith("handled")
        ] == [
            "sent",
            "capped",
        ]
        done = shop.press(link, keep=(page.items[1].item_id,))
        assert len(done.confirmed) == len(done.dropped) == 1
        assert shop.state() == "none"
        assert shop.state(purpose=shop.made.purpose_ids[1]) == "confirmed"


def test_after_24_hours_there_is_one_more_mail(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert _decided(shop) == "send"
        for _ in range(5):
            clock.shift(4 * 3600)
            assert _decided(shop) == "capped"
        clock.shift(4 * 3600)
        assert _decided(shop) == "send"
        assert len(shop.mails) == 2


def test_each_joined_request_keeps_its_own_expiry(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask()
        assert link is not None
        clock.shift(3600)
        shop.ask(ADDRESS, shop.made.purpose_ids[1])
        clock.shift(7 * DAY - 3600)
        [left] = shop.page(link).items
        assert left.purpose_id == shop.made.purpose_ids[1]
        clock.shift(3600)
        assert shop.page(link).state == "expired"


def test_what_joins_after_the_page_was_shown_is_not_confirmed(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    shown = tuple(item.item_id for item in shop.page(link).items)
    shop.ask(ADDRESS, shop.made.purpose_ids[1])
    shop.press(link, shown=shown)
    assert shop.state() == "confirmed"
    assert shop.state(purpose=shop.made.purpose_ids[1]) == "none"
    [left] = shop.page(link).items
    assert left.purpose_id == shop.made.purpose_ids[1]
    assert shop.press(link).confirmed


def test_a_refused_mail_does_not_count(shop: People) -> None:
    accepted = shop.sign_up()
    decision = shop.decide(accepted)
    shop.handle(accepted, decision, "refused")
    assert _decided(shop) == "send"


@pytest.mark.parametrize("outcome", ["sent", "given_up"])
def test_a_mail_that_may_have_arrived_counts(shop: People, outcome: str) -> None:
    accepted = shop.sign_up()
    decision = shop.decide(accepted)
    shop.handle(accepted, decision, outcome)
    assert _decided(shop) == "capped"


def test_a_subscriber_gets_no_mail_for_what_is_confirmed(shop: People) -> None:
    shop.subscribe()
    assert _decided(shop) == "already_confirmed"
    assert _decided(shop, ADDRESS, *shop.made.purpose_ids) == "send"


def test_after_a_stop_there_is_the_one_mail_of_a_later_sign_up(shop: People) -> None:
    shop.subscribe()
    shop.unsubscribe(shop.permit())
    assert _decided(shop) == "send"
    assert _decided(shop) == "capped"


def test_not_me_blocks_for_twelve_months_and_by_any_spelling(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask()
        assert link is not None
        declined = shop.not_me(link)
        assert not declined.repeated
        assert shop.kinds()[-1] == "consent.declined"
        assert shop.entries()[-1].values["reason"] == "not_me"
        assert shop.page(link).state == "declined"
        for spelling in (ADDRESS, ADDRESS.upper()):
            assert _decided(shop, spelling) == "suppressed"
        clock.shift(364 * DAY)
        assert _decided(shop) == "suppressed"
        clock.shift(2 * DAY)
        assert _decided(shop) == "send"


def test_not_me_twice_appends_nothing_more(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    first = shop.not_me(link)
    size = shop.size()
    again = shop.not_me(link)
    assert again.repeated
    assert [one.index for one in again.receipts] == [one.index for one in first.receipts]
    assert again.receipts[0].leaf is None
    assert shop.size() == size


def test_not_me_after_confirming_withdraws_what_the_link_confirmed(shop: People) -> None:
    shop.subscribe(ADDRESS, shop.made.purpose_ids[1])
    link = shop.subscribe()
    shop.not_me(link)
    assert shop.state() == "withdrawn"
    assert shop.state(purpose=shop.made.purpose_ids[1]) == "confirmed"
    assert shop.kinds()[-2:] == ["consent.declined", "consent.withdrawn"]
    assert shop.entries()[-1].values["method"] == "not_me"


def test_not_me_of_one_link_leaves_what_another_link_confirmed(shop: People) -> None:
    first = shop.subscribe()
    shop.unsubscribe(shop.permit())
    shop.subscribe()
    shop.not_me(first)
    assert shop.state() == "confirmed"


def test_a_declined_link_confirms_nothing(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    items = tuple(item.item_id for item in shop.page(link).items)
    shop.not_me(link)
    done = shop.press(link, shown=items)
    assert (done.state, done.confirmed) == ("declined", ())
    assert shop.state() == "none"


def test_not_me_works_for_ninety_days(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask()
        assert link is not None
        clock.shift(90 * DAY)
        with pytest.raises(NotFoundError):
            shop.not_me(link)
        clock.shift(-1)
        assert shop.not_me(link).receipts


def test_deciding_twice_sends_once(shop: People) -> None:
    accepted = shop.sign_up()
    assert shop.decide(accepted).decision == "send"
    assert shop.decide(accepted).decision == "gone"
    assert len(shop.mails) == 1
    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConfirmationMail)) == 1


def test_a_request_that_expired_while_the_worker_was_down_gets_no_mail(shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        accepted = shop.sign_up()
        clock.shift(8 * DAY)
        assert shop.decide(accepted).decision == "given_up"
        assert shop.mails == []


def test_every_request_gets_the_same_two_entries(shop: People) -> None:
    shop.subscribe("confirmed@example.com")
    shop.not_me(shop.ask("blocked@example.com") or b"")
    shop.ask("pending@example.com")
    for address in ("confirmed", "blocked", "pending", "new"):
        size = shop.size()
        _decided(shop, f"{address}@example.com")
        assert shop.size() == size + 3
        assert shop.kinds(f"{address}@example.com")[-3:] == [
            "consent.requested",
            "confirmation.prepared",
            "confirmation.handled",
        ]


def test_the_mail_is_kept_as_sent_without_its_live_link(shop: People) -> None:
    link = shop.ask()
    assert link is not None
    prepared = next(entry for entry in shop.entries() if entry.kind == "confirmation.prepared")
    copy: Any = prepared.values["mail"]
    assert copy[0] == "sha256"
    assert copy[3] == "message/rfc822"
    assert shop.mails[0].address == ADDRESS
    assert shop.mails[0].link_id == link


def test_the_work_is_sealed_and_the_unsent_is_told_later(shop: People) -> None:
    shop.subscribe()
    with time_machine.travel(NOON, tick=False):
        accepted = shop.sign_up()
        shop.decide(accepted)
        with shop.database.read() as session:
            rows = session.execute(
                select(OutboxRow.kind, OutboxRow.run_at, OutboxRow.made_at, OutboxRow.sealed)
            ).all()
    settle = [row for row in rows if row.kind == "confirmation.settle"]
    assert len(settle) == 1
    assert settle[0].run_at > settle[0].made_at
    assert all(b"example.com" not in bytes(row.sealed) for row in rows)


def test_a_request_of_another_organisation_is_not_decided(shop: People) -> None:
    accepted = shop.sign_up()
    with shop.database.begin() as tx:
        command = DecideConfirmation(UUID(int=7), accepted.request_id)
        with pytest.raises(NotFoundError):
            service.decline(tx, _not_me(shop))
        assert service.decide_confirmation(tx, command, shop.render).decision == "gone"


def _not_me(shop: People) -> Any:
    from consentledger.consents.commands import NotMe

    return NotMe(pack_link(shop.made.organisation.number, b"12345678"))


def test_a_press_before_the_peers_answer_is_told_loses_neither(shop: People) -> None:
    accepted = shop.sign_up()
    decision = shop.decide(accepted)
    link = pack_link(shop.made.organisation.number, decision.link_id or b"")
    assert shop.press(link).confirmed
    shop.handle(accepted, decision)
    assert shop.kinds()[-2:] == ["consent.confirmed", "confirmation.handled"]
    assert shop.state() == "confirmed"
