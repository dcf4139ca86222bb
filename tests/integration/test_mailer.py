"""Which way a sender's mail leaves: its own peer by its own account, or the installation's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentledger.db.installation import Installation
from consentledger.mail.message import build
from consentledger.mail.transport import Transport, TransportSettings
from consentledger.organisations import queries, service
from consentledger.organisations.facts import SenderTransport
from consentledger.worker.mailer import MOST_OPEN, Mailer, default_transport
from consentledger.worker.peers import Peers
from tests.factories import MadeForm, create_published_form, identity
from tests.mail.test_message import MAIL
from tests.support.certificates import Authority
from tests.support.mails import handled, sign_up, waiting, work_off
from tests.support.smtp import SmtpPeer

OWN = SenderTransport("smtp.shop.example", 465, "implicit", "shop", "secret")


@pytest.fixture
def made(installation: Installation) -> MadeForm:
    """A published form, and a stranger's."""
    return create_published_form(installation.database, installation.settings)


def give(installation: Installation, made: MadeForm, transport: SenderTransport) -> None:
    """Publishes the sender again, with an SMTP peer of its own."""
    with installation.database.begin() as tx:
        command = service.PublishSender(
            made.organisation_id, identity(), "test", sender_id=made.sender_id, transport=transport
        )
        service.publish_sender(tx, command)


def way(installation: Installation, mailer: Mailer, made: MadeForm) -> TransportSettings:
    with installation.database.read() as session:
        return mailer.way_of(session, made.organisation_id, made.sender_id)


def test_without_one_of_its_own_it_is_the_installation_s(
    installation: Installation, made: MadeForm
):
    found = way(installation, Mailer(installation, Peers(1)), made)
    assert found == default_transport(installation.settings)
    assert (found.host, found.tls, found.helo) == ("127.0.0.1", "none", "consent.test")
    assert found.patience.answer == installation.settings.mail.timeout
    assert not found.public_only


def test_a_sender_s_own_peer(installation: Installation, made: MadeForm):
    give(installation, made, OWN)
    found = way(installation, Mailer(installation, Peers(1)), made)
    assert (found.host, found.port, found.tls) == ("smtp.shop.example", 465, "implicit")
    assert (found.username, found.password) == ("shop", "secret")
    assert found.public_only
    assert "secret" not in repr(found)


def test_an_own_peer_gets_the_mail_and_nobody_else_does(
    installation: Installation,
    made: MadeForm,
    smtp: SmtpPeer,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
):
    context = authority.server_context()
    with SmtpPeer(tls="implicit", context=context, login=("shop", "secret")) as own:
        give(installation, made, OWN)
        here = TransportSettings(
            "localhost", own.port, "implicit", "shop", "secret", ca_file=str(authority.ca_file)
        )

        def at_home(settings: TransportSettings) -> Transport:
            # No name of a test leads to a public address: the own peer's way is bent to this host.
            return Transport(here if settings.public_only else settings)

        monkeypatch.setattr("consentledger.worker.mailer.Transport", at_home)
        sign_up(installation.database, made.form, "erika@example.net")
        work_off(installation)
        assert len(own.messages) == 1
    assert smtp.messages == []
    assert handled(installation.database, made.organisation_id)[0]["outcome"] == "sent"
    assert waiting(installation) == 0


def test_links_lead_to_the_sender_s_own_host(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    command = service.PublishSender(
        made.organisation_id,
        identity(),
        "test",
        sender_id=made.sender_id,
        link_host="links.shop.example",
    )
    with installation.database.begin() as tx:
        service.publish_sender(tx, command)
    with installation.database.begin() as tx:
        service.publish_form(tx, service.PublishForm(made.organisation_id, made.form_id, "test"))
    with installation.database.read() as session:
        form = queries.published_form(session, made.form_id)
    sign_up(installation.database, form, "erika@example.net")
    work_off(installation)
    assert b"\r\nhttps://links.shop.example/c/" in smtp.wait()[0].content


def test_a_thread_keeps_a_few_connections_and_closes_the_rest(
    installation: Installation, smtp: SmtpPeer
):
    mailer = Mailer(installation, Peers(2))
    usual = default_transport(installation.settings)
    ways = [replace(usual, helo=f"host{n}.test") for n in range(MOST_OPEN + 2)]
    for each in ways:
        assert mailer.send(each, build(MAIL)).accepted
    assert mailer.send(ways[-1], build(MAIL)).accepted
    assert len(smtp.connections) == len(ways)
    quits = [bytes(each.wire).lower().endswith(b"quit\r\n") for each in smtp.connections]
    assert quits.count(True) == 2
    mailer.close()
    quits = [bytes(each.wire).lower().endswith(b"quit\r\n") for each in smtp.connections]
    assert all(quits)
