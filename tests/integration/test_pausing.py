"""Forms that pause themselves, on both engines: what counts, who is told, and how they go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from consentledger.consents import figures
from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConflictError, NotFoundError, PausedError
from consentledger.mail.wire import faults
from consentledger.organisations import pause_rules, queries
from consentledger.organisations.address_policies import ChangeAddressPolicy, change_address_policy
from consentledger.organisations.facts import FormFacts
from consentledger.organisations.models import Form, Organisation
from consentledger.organisations.pausing import PauseForm, pause_form
from consentledger.organisations.service import (
    PublishForm,
    publish_form,
    resume_form,
    unpublish_form,
)
from consentledger.outbox import service as outbox
from consentledger.replay.service import fsck
from consentledger.webhooks import service as webhooks
from consentledger.worker.jobs import pausing
from tests.factories import create_form
from tests.support.consents import People, people
from tests.support.mails import entries, work_off
from tests.support.smtp import SmtpPeer

ACTOR = "key shop"


@pytest.fixture(autouse=True)
def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four mails are enough to judge by, so that a test need not send fifty."""
    monkeypatch.setattr(pause_rules, "FEWEST_MAILED", 4)


@pytest.fixture
def shop(installation: Installation) -> People:
    """A published form, and a stranger's."""
    return people(installation, "weekly offers")


@pytest.fixture
def some_time_ago() -> Iterator[None]:
    """Two hours before the worker counts."""
    with time_machine.travel(now() - timedelta(hours=2), tick=True):
        yield


def ask_ago(shop: People, count: int, hours: float = 2, name: str = "victim") -> None:
    """Signs up some addresses that nobody confirms."""
    with time_machine.travel(now() - timedelta(hours=hours), tick=True):
        for number in range(count):
            assert shop.ask(f"{name}{number}@person.example")


def form_of(shop: People) -> FormFacts:
    with shop.database.read() as session:
        return queries.form(session, shop.org, shop.made.form_id)


def command(shop: People) -> PublishForm:
    return PublishForm(shop.org, shop.made.form_id, ACTOR)


def settings_changed(shop: People) -> list[tuple[str, str]]:
    prefix = f"form.{shop.made.form_id}."
    return [
        (each.values["setting"].removeprefix(prefix), each.values["value"])
        for each in entries(shop.database, shop.org, "configuration.changed")
    ]


def test_a_form_that_nobody_confirms_pauses_and_says_so(
    installation: Installation, shop: People, smtp: SmtpPeer
):
    with shop.database.begin() as tx:
        webhooks.create_webhook(
            tx, webhooks.CreateWebhook(shop.org, "https://crm.example/hook", ("form.paused",))
        )
    ask_ago(shop, 5)
    assert pausing.pause_due(installation) == 1
    assert pausing.pause_due(installation) == 0
    form = form_of(shop)
    assert form.state == "paused"
    assert form.paused is not None
    assert {name: form.paused[name] for name in ("reason", "mailed", "confirmed")} == {
        "reason": "unconfirmed", "mailed": 5, "confirmed": 0,
    }  # fmt: skip
    with shop.database.read() as session, pytest.raises(PausedError):
        queries.published_form(session, shop.made.form_id)
    with shop.database.read() as session, pytest.raises(PausedError):
        queries.form_stamp(session, shop.made.form_id)
    assert settings_changed(shop)[-2:] == [
        ("state", "paused"),
        ("paused", "unconfirmed: 0 of 5 confirmed"),
    ]
    [job] = outbox.lease(shop.database, "test", [webhooks.DELIVER], limit=9, seconds=60)
    with shop.database.begin() as tx:
        told = json.loads(outbox.open_job(tx, job)["body"])
        outbox.complete(tx, job)
    assert told["type"] == "form.paused"
    assert told["data"]["form"] == str(shop.made.form_id)
    assert told["data"]["mailed"] == 5
    assert "victim" not in json.dumps(told)
    _drop_confirmations(shop)
    work_off(installation)
    (mail,) = smtp.wait()
    assert mail.rcpt_tos == ("kontakt@alpenkraut.example",)
    assert faults(mail.content) == []
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert f"/api/v1/forms/{shop.made.form_id}:resume" in body.get_content()
    assert "victim" not in body.get_content()


def _drop_confirmations(shop: People) -> None:
    """Takes away the mails that this test did not mean to send; the shop's own was told by `People.handle`."""
    kinds = ["confirmation.decide", "confirmation.send", "confirmation.settle"]
    jobs = outbox.lease(shop.database, "test", kinds, limit=100, seconds=60)
    with shop.database.begin() as tx:
        for job in jobs:
            outbox.complete(tx, job)


def test_a_stranger_keeps_their_form(installation: Installation, shop: People):
    ask_ago(shop, 5)
    assert pausing.pause_due(installation) == 1
    with shop.database.read() as session:
        states = {
            each.form_id: each.state
            for owner in queries.organisations(session)
            for each in queries.forms(session, owner.organisation_id)
        }
    assert states.pop(shop.made.form_id) == "paused"
    assert set(states.values()) == {"published"}


def test_a_resumed_form_is_not_paused_by_the_same_requests(
    installation: Installation, shop: People
):
    ask_ago(shop, 5)
    assert pausing.pause_due(installation) == 1
    with shop.database.begin() as tx:
        assert resume_form(tx, command(shop)).state == "published"
    assert form_of(shop).paused is None
    assert settings_changed(shop)[-1] == ("state", "published")
    assert pausing.pause_due(installation) == 0
    with shop.database.read() as session:
        assert queries.published_form(session, shop.made.form_id).version == 1
    with shop.database.begin() as tx, pytest.raises(ConflictError, match="not paused"):
        resume_form(tx, command(shop))
    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        ask_ago(shop, 5, hours=0, name="later")
    with time_machine.travel(now() + timedelta(hours=2), tick=True):
        assert pausing.pause_due(installation) == 1


def test_publishing_anew_resumes_and_taking_down_ends_it(installation: Installation, shop: People):
    ask_ago(shop, 5)
    assert pausing.pause_due(installation) == 1
    with shop.database.begin() as tx:
        publish_form(tx, command(shop))
    assert (form_of(shop).state, form_of(shop).paused) == ("published", None)
    assert pausing.pause_due(installation) == 0
    with shop.database.begin() as tx:
        assert unpublish_form(tx, command(shop)).state == "unpublished"
    with shop.database.begin() as tx, pytest.raises(ConflictError):
        resume_form(tx, command(shop))
    stranger = PublishForm(shop.org, shop.org, ACTOR)
    with shop.database.begin() as tx, pytest.raises(NotFoundError):
        resume_form(tx, stranger)


def test_only_requests_that_got_a_mail_some_time_ago_count(
    installation: Installation, shop: People, some_time_ago: None
):
    for _ in range(6):  # one mail, five that joined it
        shop.ask("victim@person.example")
    for number in range(6):  # mails that no peer took
        accepted = shop.sign_up(f"nobody{number}@person.example")
        shop.handle(accepted, shop.decide(accepted), "refused")
    for number in range(6):  # on their way still
        shop.decide(shop.sign_up(f"waiting{number}@person.example"))
    link = shop.ask("gone@person.example")
    assert link is not None
    shop.not_me(link)
    for _ in range(6):  # blocked by `not me`
        shop.ask("gone@person.example")
    with time_machine.travel(now() + timedelta(hours=1, minutes=30), tick=True):
        ask_ago(shop, 6, hours=0, name="fresh")  # half an hour ago
    with time_machine.travel(now() - timedelta(hours=23), tick=True):
        ask_ago(shop, 6, hours=0, name="old")
    with time_machine.travel(now() + timedelta(hours=2), tick=True):
        with shop.database.read() as session:
            assert figures.forms_with_many(session, shop.org, now()) == []
        assert pausing.pause_due(installation) == 0
        with shop.database.read() as session:
            day, week = figures.form_figures(session, shop.org, shop.made.form_id, now())
    assert (day.requests, day.mailed, day.confirmed) == (31, 8, 0)
    assert (week.requests, week.mailed, week.confirmed) == (37, 14, 0)


def test_a_form_that_people_confirm_stays_open(
    installation: Installation, shop: People, some_time_ago: None
):
    for number in range(5):
        shop.ask(f"victim{number}@person.example")
    shop.subscribe("anna@person.example")
    with time_machine.travel(now() + timedelta(hours=2), tick=True):
        with shop.database.read() as session:
            (count,) = figures.forms_with_many(session, shop.org, now())
        assert (count.mailed, count.confirmed) == (6, 1)
        assert pausing.pause_due(installation) == 0


def test_a_count_from_before_a_resumption_pauses_nothing(installation: Installation, shop: People):
    ask_ago(shop, 5)
    with shop.database.read() as session:
        (count,) = figures.forms_with_many(session, shop.org, now())
    stale = PauseForm(
        shop.org, shop.made.form_id, count.counted_from, "unconfirmed", count.mailed, 0
    )
    told: list[object] = []
    with shop.database.begin() as tx:
        assert pause_form(tx, stale, told.append)
    with shop.database.begin() as tx:
        assert not pause_form(tx, stale, told.append)  # another worker was faster
    with shop.database.begin() as tx:
        resume_form(tx, command(shop))
    with shop.database.begin() as tx:
        assert not pause_form(tx, stale, told.append)
    assert form_of(shop).state == "published"
    assert len(told) == 1


def test_no_mail_goes_out_of_a_form_that_was_resumed_meanwhile(
    installation: Installation, shop: People, smtp: SmtpPeer
):
    ask_ago(shop, 5)
    pausing.pause_due(installation)
    with shop.database.begin() as tx:
        resume_form(tx, command(shop))
    _drop_confirmations(shop)
    work_off(installation)
    assert smtp.messages == []


def test_what_was_mailed_before_the_pause_can_be_confirmed(
    installation: Installation, shop: People
):
    with time_machine.travel(now() - timedelta(hours=2), tick=True):
        link = shop.ask("anna@person.example")
    assert link is not None
    ask_ago(shop, 12)
    assert pausing.pause_due(installation) == 1
    assert shop.press(link).confirmed


def test_figures_count_what_is_flagged(installation: Installation, shop: People):
    with shop.database.begin() as tx:
        change_address_policy(tx, ChangeAddressPolicy(shop.org, ACTOR, role="accept"))
    with shop.database.read() as session:
        shop.made = replace(shop.made, form=queries.published_form(session, shop.made.form_id))
    shop.sign_up("anna@mailinator.com")
    shop.sign_up("info@person.example")
    shop.sign_up("anna@person.example")
    with shop.database.read() as session:
        day, _ = figures.form_figures(session, shop.org, shop.made.form_id, now())
    assert (day.requests, day.mailed, day.flagged) == (3, 0, 1)
    assert day.since_at < now() - timedelta(hours=23)


def test_a_flood_is_counted_as_far_back_as_it_is_cheap(
    installation: Installation, shop: People, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(figures, "SHOWN", 3)
    begun = now()
    for number in range(5):
        shop.sign_up(f"anna{number}@person.example")
    with shop.database.read() as session:
        day, _ = figures.form_figures(session, shop.org, shop.made.form_id, now())
    assert day.requests == 3
    assert day.since_at > begun


def test_a_request_that_joins_another_forms_mail_is_not_mailed(
    installation: Installation, shop: People, some_time_ago: None
):
    other = create_form(
        shop.database, shop.org, shop.made.sender_id, shop.made.wording_ids, origins=()
    )
    with shop.database.read() as session:
        joining = People(
            shop.database,
            replace(shop.made, form_id=other, form=queries.published_form(session, other)),
        )
    for number in range(5):
        assert shop.ask(f"victim{number}@person.example")
        assert joining.ask(f"victim{number}@person.example")  # the pending mail's link
    with time_machine.travel(now() + timedelta(hours=2), tick=True):
        assert pausing.pause_due(installation) == 1
        with shop.database.read() as session:
            assert queries.form(session, shop.org, other).state == "published"
            day, _ = figures.form_figures(session, shop.org, other, now())
    assert (day.requests, day.mailed) == (5, 0)


def test_workers_who_count_at_once_pause_once(installation: Installation, shop: People):
    ask_ago(shop, 5)
    with ThreadPoolExecutor(3) as workers:
        paused = [workers.submit(pausing.pause_due, installation) for _ in range(3)]
    assert sorted(each.result() for each in paused) == [0, 0, 1]
    assert settings_changed(shop).count(("state", "paused")) == 1


def test_the_log_tells_the_state_of_form_and_policy(installation: Installation, shop: People):
    given = PauseForm(shop.org, shop.made.form_id, None, "unconfirmed", 61, 2)
    with shop.database.begin() as tx:
        assert pause_form(tx, given, lambda _: None)
    with shop.database.begin() as tx:
        change_address_policy(tx, ChangeAddressPolicy(shop.org, ACTOR, "refuse", "accept"))
    assert fsck(installation, shop.org).findings == []
    for table, values in ((Form, {"state": "published"}), (Organisation, {"role_policy": "flag"})):
        with shop.database.begin() as tx:
            mine = update(table).where(table.organisation_id == shop.org)
            tx.session.execute(mine.values(values))
        [finding] = fsck(installation, shop.org).findings
        assert table.__tablename__ in str(finding)
        with shop.database.begin() as tx:
            tx.session.execute(
                mine.values({"state": "paused"} if table is Form else {"role_policy": "accept"})
            )


def test_figures_end_where_unconfirmed_requests_are_erased(shop: People):
    with time_machine.travel(now() - timedelta(days=2), tick=True):
        shop.subscribe("anna@person.example")
    with shop.database.read() as session:
        _, week = figures.form_figures(session, shop.org, shop.made.form_id, now())
    assert (week.requests, week.confirmed) == (1, 1)
    with shop.database.begin() as tx:
        mine = update(Organisation).where(Organisation.organisation_id == shop.org)
        tx.session.execute(mine.values(request_days=1))
    with shop.database.read() as session:
        _, week = figures.form_figures(session, shop.org, shop.made.form_id, now())
    assert (week.days, week.requests) == (7, 0)
    assert week.since_at > now() - timedelta(days=1, minutes=5)
