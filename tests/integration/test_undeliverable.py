"""Mail to domains that take none, on both engines, over real DNS and SMTP: not sent, and told like a refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from consentledger.consents.models import ConfirmationMail
from consentledger.db.installation import Installation
from consentledger.worker.jobs import lookups
from tests.factories import MadeForm, create_published_form
from tests.support.dns import SERVFAIL, SILENT, DnsPeer
from tests.support.installations import settings_from
from tests.support.mails import entries, eventually, handled, sign_up, waiting, work_off
from tests.support.smtp import SmtpPeer


@pytest.fixture
def dns() -> Iterator[DnsPeer]:
    with DnsPeer() as peer:
        yield peer


@pytest.fixture
def environment(environment: dict[str, str], dns: DnsPeer) -> dict[str, str]:
    """An installation that asks `dns` before it sends."""
    host, port = dns.address
    return {
        **environment,
        "CONSENTLEDGER_MX_CHECK": "true",
        "CONSENTLEDGER_DNS_SERVERS": f"{host}:{port}",
    }


@pytest.fixture
def made(installation: Installation) -> MadeForm:
    return create_published_form(installation.database, installation.settings)


def test_a_domain_without_mail_gets_none_and_the_log_says_why(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, dns: DnsPeer
):
    dns.delay = 0.1  # all three are looked up at the same time, and none goes unasked for that
    dns.zone["closed.example"] = {"MX": ["0 ."]}
    dns.zone["open.example"] = {"MX": ["10 mx.open.example."]}
    for address in ("erika@closed.example", "erika@nobody.example", "erika@open.example"):
        sign_up(installation.database, made.form, address)
    work_off(installation)
    (mail,) = smtp.wait()
    assert mail.rcpt_tos == ("erika@open.example",)
    told = {
        each["smtp_code"]: each for each in handled(installation.database, made.organisation_id)
    }
    assert {code: each["outcome"] for code, each in told.items()} == {
        556: "refused", 550: "refused", 250: "sent",
    }  # fmt: skip
    assert told[556]["smtp_answer"].startswith("5.1.10 not sent: by our own look-up")
    assert (told[556]["attempts"], told[250]["attempts"]) == (0, 1)
    kinds = [entry.kind for entry in entries(installation.database, made.organisation_id)][-9:]
    assert kinds.count("confirmation.prepared") == kinds.count("confirmation.handled") == 3
    with installation.database.read() as session:
        outcomes = session.scalars(select(ConfirmationMail.outcome)).all()
    assert sorted(filter(None, outcomes)) == ["refused", "refused", "sent"]


def test_a_mail_that_was_not_sent_keeps_no_later_one_back(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, dns: DnsPeer
):
    sign_up(installation.database, made.form, "erika@new.example")
    work_off(installation)
    dns.zone["new.example"] = {"A": ["192.0.2.1"]}
    sign_up(installation.database, made.form, "erika@new.example")
    work_off(installation)
    assert [each.rcpt_tos for each in smtp.wait()] == [("erika@new.example",)]
    outcomes = [each["outcome"] for each in handled(installation.database, made.organisation_id)]
    assert outcomes == ["refused", "sent"]


@pytest.mark.parametrize("trouble", [SERVFAIL, SILENT])
def test_trouble_of_the_dns_loses_nobodys_mail(
    installation: Installation,
    made: MadeForm,
    smtp: SmtpPeer,
    dns: DnsPeer,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
):
    if trouble == SILENT:
        monkeypatch.setattr(lookups, "SECONDS", 0.2)
    names = ["one.example", "two.example", "three.example"]
    dns.zone |= dict.fromkeys(names, trouble)
    for name in names:
        sign_up(installation.database, made.form, f"erika@{name}")
    work_off(installation)
    assert {each.rcpt_tos[0].partition("@")[2] for each in smtp.wait(3)} == set(names)
    # While nobody answers, most mails go without being asked for.
    asked = {question.split()[0] for question in dns.asked}
    assert len(asked) == 3 if trouble == SERVFAIL else len(asked) >= 1


def test_nobody_waits_for_a_look_up(
    installation: Installation,
    made: MadeForm,
    dns: DnsPeer,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(lookups, "SECONDS", 8.0)
    written: list[object] = []

    def write() -> None:
        """Would wait for the look-up's end, and the look-up for it, if a transaction were open."""
        if not written:
            written.append(sign_up(installation.database, made.form, "anna@nobody.example"))

    dns.meanwhile = write
    sign_up(installation.database, made.form, "erika@nobody.example")
    work_off(installation)
    assert written
    outcomes = [each["outcome"] for each in handled(installation.database, made.organisation_id)]
    assert outcomes == ["refused", "refused"]


def test_an_installation_that_asks_nobody(
    environment: dict[str, str], dns: DnsPeer, smtp: SmtpPeer
):
    from consentledger.db.installation import open_installation

    off = settings_from({**environment, "CONSENTLEDGER_MX_CHECK": "false"})
    opened = open_installation(off)
    made = create_published_form(opened.database, off, noise=False)
    sign_up(opened.database, made.form, "erika@nobody.example")
    work_off(opened)
    eventually(lambda: waiting(opened) == 0)
    opened.database.close()
    assert len(smtp.wait()) == 1
    assert dns.asked == []
