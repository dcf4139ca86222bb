"""From a sign-up to its mail and to what the log says of it, on both engines, over real SMTP."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from consentledger.app import create_app
from consentledger.consents.models import ConfirmationMail
from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.kernel.tokens import pack_link
from consentledger.mail.wire import faults
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy
from consentledger.worker.context import Handler
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.jobs import confirmation
from tests.factories import MadeForm, create_published_form
from tests.support.mails import (
    entries,
    eventually,
    handled,
    sign_up,
    stored,
    waiting,
    work_off,
    working,
)
from tests.support.smtp import DROP, HANG, SmtpPeer


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come within a test's patience; what they do is the same."""
    quick = RetryPolicy(most=3, first=0.05, longest=0.1)
    monkeypatch.setattr(confirmation, "SENDING", quick)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """An installation that waits one second for its peer."""
    return {**environment, "CONSENTLEDGER_MAIL_TIMEOUT": "1"}


@pytest.fixture
def made(installation: Installation) -> MadeForm:
    """A published form with two boxes."""
    return create_published_form(
        installation.database, installation.settings, titles=("weekly offers", "events & talks")
    )


def quick() -> dict[str, Handler]:
    """The worker's handlers with the hasty policy."""
    return {
        kind: replace(each, policy=confirmation.SENDING) if kind == "confirmation.send" else each
        for kind, each in HANDLERS.items()
    }


def test_a_sign_up_gets_its_one_mail(installation: Installation, made: MadeForm, smtp: SmtpPeer):
    accepted = sign_up(installation.database, made.form, "Erika.M@bücher.example")
    work_off(installation, quick())
    (received,) = smtp.wait()
    assert received.rcpt_tos == ("Erika.M@xn--bcher-kva.example",)
    assert received.mail_from == "news@alpenkraut.example"
    assert faults(received.content) == []
    body = received.message.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    for said in (
        "weekly offers",
        "events & talks",
        "Alpenkraut Versand GmbH",
        "Talstraße 12",
        "83471 Berchtesgaden",
        "Germany",
        "kontakt@alpenkraut.example",
    ):
        assert said in words
    assert received.header_lines("Auto-Submitted") == [b"auto-generated"]
    (token,) = set(re.findall(r"https://consent\.test/c/([A-Za-z0-9_.-]{33})", words))
    assert installation.tokens.read("confirm", token) is not None

    prepared, told = entries(
        installation.database, made.organisation_id, "confirmation.prepared", "confirmation.handled"
    )
    assert (prepared.kind, told.kind) == ("confirmation.prepared", "confirmation.handled")
    assert prepared.values["requests"] == [str(accepted.request_id)]
    assert prepared.values["link"] == token[:16]
    (blob,) = prepared.blobs
    assert blob[32:] == received.content.replace(token[17:].encode(), b"*" * 16)
    assert told.values["outcome"] == "sent"
    assert told.values["smtp_code"] == 250
    assert told.values["smtp_answer"] == "2.0.0 kept"
    assert told.values["attempts"] == 1
    assert told.values["message_id"].encode() == received.header_lines("Message-ID")[0]


def test_the_not_me_link_leads_to_its_button(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    body = smtp.wait()[0].message.get_body(("plain",))
    assert body is not None
    (path, anchor) = re.findall(r"https://consent\.test(/c/\S+)#(\S+)", body.get_content())[0]
    page = create_app(installation.settings, installation).test_client().get(path)
    assert page.status_code == 200
    assert f'<form id="{anchor}" method="post" action="{path}/not-me">' in page.text


def test_no_live_token_and_no_address_rests_in_the_database(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    smtp.next("rcpt", "451 4.7.1 <erika@example.net> later")
    sign_up(installation.database, made.form, "erika@example.net")
    with working(installation, quick()):
        eventually(lambda: smtp.pending() == 0)
        eventually(lambda: not _leased(installation))
        _search(installation, made)  # kept for the next try
        eventually(lambda: waiting(installation) == 0)
    _search(installation, made)  # sent and told
    (token,) = re.findall(
        rb"/c/([A-Za-z0-9_.-]{33})\r", smtp.wait()[0].content.replace(b"=\r\n", b"")
    )
    assert token.decode() == _token(installation, made)


def _token(installation: Installation, made: MadeForm) -> str:
    with installation.database.read() as session:
        own = session.scalars(select(ConfirmationMail.link_id)).one()
    number = made.form.organisation_number
    return installation.tokens.make("confirm", pack_link(number, own))


def _search(installation: Installation, made: MadeForm) -> None:
    secrets = (b"erika", _token(installation, made)[17:].encode())
    for where, content in stored(installation.database):
        assert not any(secret in content for secret in secrets), where


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "accepted"])
def test_a_peer_that_refuses(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, stage: str
):
    smtp.next(stage, "550 5.1.1 no such user")
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["smtp_code"], told["attempts"]) == ("refused", 550, 1)
    assert told["smtp_answer"] == "5.1.1 no such user"
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("rcpt", "451 4.7.1 greylisted"),
        ("connect", "421 4.3.2 busy"),
        ("data", DROP),
        ("content", DROP),
    ],
)
def test_a_peer_that_defers_is_asked_again(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, stage: str, action: str
):
    smtp.next(stage, action)
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["attempts"]) == ("sent", 2)
    assert len(smtp.messages) == 1


def test_a_lost_answer_repeats_the_same_message(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    smtp.next("accepted", DROP)
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    first, second = smtp.wait(2)
    assert first.content == second.content
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["attempts"]) == ("sent", 2)


def test_a_peer_that_never_takes_it_is_given_up(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    smtp.next("rcpt", "451 4.7.1 never", times=3)
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["smtp_code"], told["attempts"]) == ("given_up", 451, 3)
    assert smtp.messages == []


def test_nobody_listens(installation: Installation, made: MadeForm, smtp: SmtpPeer):
    smtp.stop()
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation, quick())
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["smtp_code"], told["attempts"]) == ("given_up", None, 3)


def test_a_second_request_within_a_day_gets_no_mail_and_the_same_entries(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    sign_up(installation.database, made.form, "erika@example.net", 1)
    work_off(installation, quick())
    sign_up(installation.database, made.form, "ERIKA@example.net")
    work_off(installation, quick())
    assert len(smtp.messages) == 1
    first, second = handled(installation.database, made.organisation_id)
    assert (first["outcome"], second["outcome"]) == ("sent", "capped")
    kinds = [
        entry.kind
        for entry in entries(installation.database, made.organisation_id)
        if entry.kind.startswith(("consent", "confirmation"))
    ]
    assert kinds == ["consent.requested", "confirmation.prepared", "confirmation.handled"] * 2


def test_an_unsent_mail_is_told_as_late_as_a_sent_one(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    sign_up(installation.database, made.form, "erika@example.net", 1)
    work_off(installation, quick())
    sign_up(installation.database, made.form, "erika@example.net", 1)
    work_off(installation, quick())
    prepared, told = entries(
        installation.database, made.organisation_id, "confirmation.prepared", "confirmation.handled"
    )[-2:]
    assert prepared.values["mail"] is None
    assert told.appended_at - prepared.appended_at > timedelta(seconds=0.1)


def test_a_request_that_expired_while_the_peer_was_away_gets_no_mail(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    smtp.next("rcpt", "451 4.7.1 later")
    sign_up(installation.database, made.form, "erika@example.net")
    with working(installation, quick()):
        eventually(lambda: smtp.pending() == 0)
        eventually(lambda: not _leased(installation))
        with time_machine.travel(now() + timedelta(days=8), tick=True):
            eventually(lambda: waiting(installation) == 0)
    assert smtp.messages == []
    (told,) = handled(installation.database, made.organisation_id)
    assert told["outcome"] == "given_up"


def _leased(installation: Installation) -> bool:
    with installation.database.read() as session:
        return bool(session.scalars(select(OutboxRow.leased_by)).one_or_none())


def test_one_peer_that_hangs_does_not_keep_others_waiting(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    smtp.next("data", HANG)
    sign_up(installation.database, made.form, "one@example.net")
    sign_up(installation.database, made.form, "two@example.net")
    with working(installation, quick()):
        smtp.wait(1, timeout=0.8)
        eventually(lambda: waiting(installation) == 0)
    told = handled(installation.database, made.organisation_id)
    assert sorted((each["outcome"], each["attempts"]) for each in told) == [
        ("sent", 1),
        ("sent", 2),
    ]
