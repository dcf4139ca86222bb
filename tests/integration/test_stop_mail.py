"""Stop by address: one mail to an address on record, none to others, and the link works."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.outbox.rules import RetryPolicy
from consentledger.worker.jobs import confirmation, stop
from tests.support.consents import People, people
from tests.support.mails import eventually, handled, waiting, work_off, working
from tests.support.smtp import Received, SmtpPeer


@pytest.fixture
def town(installation: Installation) -> People:
    """A published form and the verbs of a person on it."""
    return people(installation)


def link_in(received: Received, path: str) -> str:
    """The token of the mail's link."""
    found = re.findall(
        rf"/{path}/([A-Za-z0-9_.-]{{33}})\r".encode(), received.content.replace(b"=\r\n", b"")
    )
    return str(found[0], "ascii")


def subscribe(installation: Installation, town: People, smtp: SmtpPeer, address: str) -> None:
    town.sign_up(address)
    work_off(installation)
    link = installation.tokens.read("confirm", link_in(smtp.messages[-1], "c"))
    assert link is not None
    assert town.press(link).confirmed


def test_an_address_on_record_gets_one_mail_whose_link_stops_for_good(
    installation: Installation, town: People, smtp: SmtpPeer
):
    subscribe(installation, town, smtp, "erika@example.net")
    town.stop("erika@example.net")
    town.stop("erika@example.net")
    work_off(installation)
    _, mail = smtp.wait(2)
    assert len(smtp.messages) == 2, "one in 24 hours, however often it is asked for"
    assert mail.rcpt_tos == ("erika@example.net",)
    assert mail.header_lines("Auto-Submitted") == [b"auto-generated"]
    assert mail.header_lines("List-Unsubscribe") == []
    body = mail.message.get_body(("plain",))
    assert body is not None
    assert "Alpenkraut Versand GmbH" in body.get_content()
    assert town.state("erika@example.net") == "paused"
    link = installation.tokens.read("stop", link_in(mail, "stop"))
    assert link is not None
    town.stop_link(link)
    assert town.state("erika@example.net") == "withdrawn"


def test_whoever_has_nothing_left_to_stop_gets_none(
    installation: Installation, town: People, smtp: SmtpPeer
):
    subscribe(installation, town, smtp, "erika@example.net")
    town.stop("erika@example.net")
    work_off(installation)
    link = installation.tokens.read("stop", link_in(smtp.wait(2)[1], "stop"))
    assert link is not None
    town.stop_link(link)
    with time_machine.travel(now() + timedelta(days=2)):
        town.stop("erika@example.net")
        work_off(installation)
    assert len(smtp.messages) == 2


def test_strangers_get_none(installation: Installation, town: People, smtp: SmtpPeer):
    town.stop("nobody@example.net")
    work_off(installation)
    assert smtp.messages == []


def test_a_peer_that_defers_gets_the_same_bytes_again(
    installation: Installation, town: People, smtp: SmtpPeer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stop, "SENDING", RetryPolicy(most=3, first=0.05, longest=0.1))
    subscribe(installation, town, smtp, "erika@example.net")
    town.stop("erika@example.net")
    smtp.next("rcpt", "451 later")
    work_off(installation)
    assert len(smtp.messages) == 2
    assert smtp.pending() == 0


def test_a_stop_between_two_tries_of_a_confirmation_mail_ends_it(
    installation: Installation, town: People, smtp: SmtpPeer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(confirmation, "SENDING", RetryPolicy(most=9, first=0.5, longest=0.5))
    smtp.next("rcpt", "451 later")
    town.sign_up("erika@example.net")
    with working(installation):
        eventually(lambda: smtp.pending() == 0)
        town.stop("erika@example.net")
        eventually(lambda: waiting(installation) == 0)
    assert smtp.messages == []
    (told,) = handled(installation.database, town.org)
    assert (told["outcome"], told["attempts"]) == ("given_up", 1)


def test_a_peer_that_refuses_ends_it(installation: Installation, town: People, smtp: SmtpPeer):
    subscribe(installation, town, smtp, "erika@example.net")
    town.stop("erika@example.net")
    smtp.next("rcpt", "550 no such user")
    work_off(installation)
    assert len(smtp.messages) == 1
