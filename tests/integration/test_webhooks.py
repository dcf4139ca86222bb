"""An event on its way to its receivers, on both engines: announced with the act, signed, retried, given up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.settings import Settings
from consentledger.outbox import service as outbox
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy
from consentledger.webhooks import queries, rules, service
from consentledger.webhooks.service import ChangeWebhook, CreateWebhook, WebhookCreated
from consentledger.worker.context import Context, Handler
from consentledger.worker.handlers import HANDLERS
from consentledger.worker.jobs import webhooks as jobs
from tests.factories import create_organisation
from tests.support.certificates import Authority
from tests.support.http import HANG, HttpPeer
from tests.support.installations import settings_from
from tests.support.mails import entries, eventually, stored, waiting, work_off, working

ADDRESS = "erika.mustermann@person.example"
ERASED = "contact.erased"


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """With webhooks to this machine: the peers of these tests stand there."""
    return settings_from({**environment, "CONSENTLEDGER_WEBHOOK_ALLOW_LOOPBACK": "true"})


@pytest.fixture
def peer(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpPeer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    with HttpPeer(authority.server_context()) as running:
        yield running


@pytest.fixture
def organisation_id(installation: Installation) -> UUID:
    """An organisation, beside another whose webhook must hear nothing of it."""
    return create_organisation(installation.database, installation.settings).organisation_id


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries within a moment."""
    monkeypatch.setattr(jobs, "POLICY", RetryPolicy(most=3, first=0.02, longest=0.05))


def add(
    installation: Installation, organisation_id: UUID, url: str, *events: str
) -> WebhookCreated:
    command = CreateWebhook(organisation_id, url, events or (ERASED,), loopback=True)
    with installation.database.begin() as tx:
        return service.create_webhook(tx, command)


def announce(
    installation: Installation, organisation_id: UUID, event: str = ERASED
) -> list[service.Queued]:
    with installation.database.begin() as tx:
        return service.announce(tx, organisation_id, event, {"address": ADDRESS})


def facts(installation: Installation, organisation_id: UUID) -> queries.WebhookFacts:
    with installation.database.read() as session:
        (found,) = queries.webhooks(session, organisation_id)
    return found


def test_whoever_wants_the_event_is_told_once_and_signed(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    stranger = create_organisation(installation.database, installation.settings)
    add(installation, stranger.organisation_id, peer.url("/stranger"))
    add(installation, organisation_id, peer.url("/restricted"), "contact.restricted")
    first = add(installation, organisation_id, peer.url("/first"))
    second = add(installation, organisation_id, peer.url("/second"), *rules.EVENTS)
    queued = announce(installation, organisation_id)
    assert {each.webhook_id for each in queued} == {first.webhook_id, second.webhook_id}
    work_off(installation)
    assert {request.target for request in peer.requests} == {"/first", "/second"}
    assert len(peer.requests) == 2
    for request in peer.requests:
        made = first if request.target == "/first" else second
        said = Receiver(made.secret).verify(request.body, dict(request.headers))
        assert list(said) == ["type", "timestamp", "data"]
        assert said["type"] == ERASED
        assert said["data"] == {"address": ADDRESS, "todo": rules.EVENTS[ERASED]}
        assert request.headers["webhook-id"] in {each.message_id for each in queued}
        other = second if made is first else first
        with pytest.raises(WebhookVerificationError):
            Receiver(other.secret).verify(request.body, dict(request.headers))


def test_nothing_is_announced_by_a_transaction_that_fails(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    add(installation, organisation_id, peer.url())

    def fail() -> None:
        with installation.database.begin() as tx:
            service.announce(tx, organisation_id, ERASED, {"address": ADDRESS})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert waiting(installation) == 0
    with pytest.raises(ValueError, match="no event"):
        announce(installation, organisation_id, "contact.erazed")


def test_neither_address_nor_secret_is_stored_in_the_clear(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    made = add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    secret = made.secret.removeprefix(rules.PREFIX)
    found = [
        table
        for table, content in stored(installation.database)
        for planted in (ADDRESS.encode(), secret.encode(), ADDRESS.partition("@")[0].encode())
        if planted in content
    ]
    assert not found


def test_a_failed_message_comes_again_the_same(
    installation: Installation, organisation_id: UUID, peer: HttpPeer, brisk: None
) -> None:
    made = add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    peer.next(500, 404)
    work_off(installation)
    assert len(peer.requests) == 3
    assert len({(r.body, r.headers["webhook-id"]) for r in peer.requests}) == 1
    Receiver(made.secret).verify(peer.requests[-1].body, dict(peer.requests[-1].headers))
    found = facts(installation, organisation_id)
    assert (found.state, found.last_error) == ("live", "404")
    assert found.last_success_at is not None


def test_after_the_last_try_the_message_is_deleted_and_the_operator_told(
    installation: Installation,
    organisation_id: UUID,
    peer: HttpPeer,
    brisk: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    peer.next(500, 500, 500)
    work_off(installation)
    assert len(peer.requests) == 3
    found = facts(installation, organisation_id)
    assert (found.state, found.last_error) == ("live", "given up: 500")
    assert found.last_success_at is None
    logged = "".join(capsys.readouterr())
    assert "webhook given up" in logged
    assert ADDRESS not in logged


def test_after_three_days_no_more_tries(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    with installation.database.begin() as tx:
        early = tx.now - timedelta(days=3)
        tx.session.execute(update(OutboxRow).values(made_at=early))
    peer.next(500)
    work_off(installation)
    assert len(peer.requests) == 1
    assert facts(installation, organisation_id).last_error == "given up: 500"


def test_gone_pauses_and_an_answered_test_makes_live_again(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    made = add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    peer.next(410)
    work_off(installation)
    assert facts(installation, organisation_id).state == "paused"
    assert announce(installation, organisation_id) == []
    with installation.database.begin() as tx:
        service.send_test(tx, ChangeWebhook(organisation_id, made.webhook_id))
    work_off(installation)
    said = Receiver(made.secret).verify(peer.requests[-1].body, dict(peer.requests[-1].headers))
    assert (said["type"], said["data"]) == (rules.TEST, {"webhook": str(made.webhook_id)})
    assert facts(installation, organisation_id).state == "live"
    assert len(announce(installation, organisation_id)) == 1


def test_a_test_is_tried_once(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    made = add(installation, organisation_id, peer.url())
    with installation.database.begin() as tx:
        service.send_test(tx, ChangeWebhook(organisation_id, made.webhook_id))
    peer.next(503)
    work_off(installation)
    assert len(peer.requests) == 1
    assert facts(installation, organisation_id).last_error == "503"


def test_receivers_that_hang_leave_a_thread_for_other_work(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    for host in ("localhost", "127.0.0.1"):
        add(installation, organisation_id, peer.url(host=host))
    for _ in range(2):
        announce(installation, organisation_id)
    peer.next(*[HANG] * 4)
    other = threading.Event()

    def run(context: Context, job: outbox.Job) -> None:
        with context.database.begin() as tx:
            outbox.complete(tx, job)
        other.set()

    with working(installation, {**HANDLERS, "test": Handler("test", "other work", run)}):
        eventually(lambda: len(peer.requests) == 2)
        with installation.database.begin() as tx:
            outbox.enqueue(tx, organisation_id, "test", {})
        assert other.wait(15)
        assert len(peer.requests) == 2
        with installation.database.read() as session:
            found = queries.webhooks(session, organisation_id)
        assert [each.last_error for each in found] == [None, None], "both hang to this moment"
        peer.ended.set()


def test_a_rotated_secret_and_the_one_before_sign_both(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    first = add(installation, organisation_id, peer.url())
    which = ChangeWebhook(organisation_id, first.webhook_id)
    with installation.database.begin() as tx:
        second = service.rotate_secret(tx, which, rules.OVERLAP)
    announce(installation, organisation_id)
    work_off(installation)
    with installation.database.begin() as tx:
        third = service.rotate_secret(tx, which, timedelta(0))
    announce(installation, organisation_id)
    work_off(installation)
    during, after = peer.requests
    for secret in (first.secret, second.secret):
        Receiver(secret).verify(during.body, dict(during.headers))
        with pytest.raises(WebhookVerificationError):
            Receiver(secret).verify(after.body, dict(after.headers))
    Receiver(third.secret).verify(after.body, dict(after.headers))


def test_what_waits_for_a_deleted_webhook_is_dropped(
    installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    made = add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    which = ChangeWebhook(organisation_id, made.webhook_id)
    with installation.database.begin() as tx:
        service.delete_webhook(tx, which)
    work_off(installation)
    assert peer.requests == []
    with pytest.raises(NotFoundError), installation.database.begin() as tx:
        service.delete_webhook(tx, which)
    changes = [
        (entry.values["setting"], entry.values["value"])
        for entry in entries(installation.database, organisation_id, "configuration.changed")
        if entry.values["setting"] == f"webhook.{made.webhook_id}"
    ]
    origin = f"https://localhost:{peer.port}"
    assert [value for _, value in changes] == [f"{origin} contact.erased", None]


def test_a_webhook_that_turned_private_gets_nothing(
    environment: dict[str, str], installation: Installation, organisation_id: UUID, peer: HttpPeer
) -> None:
    """The setting is looked at again at each delivery, as the address is."""
    add(installation, organisation_id, peer.url())
    announce(installation, organisation_id)
    strict = settings_from(environment)
    object.__setattr__(installation, "settings", strict)
    with working(installation):
        eventually(lambda: facts(installation, organisation_id).last_error is not None)
    assert facts(installation, organisation_id).last_error == "the name leads to no public address"
    assert peer.requests == []
    with installation.database.read() as session:
        (state,) = session.scalars(select(OutboxRow.state)).all()
    assert state == "due"


def test_an_organisation_has_so_many_and_no_more(
    installation: Installation, organisation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST", 2)
    for number in range(2):
        add(installation, organisation_id, f"https://crm.example/{number}")
    with pytest.raises(ConflictError):
        add(installation, organisation_id, "https://crm.example/3")
    with installation.database.read() as session:
        page = queries.webhooks(session, organisation_id, limit=1)
        rest = queries.webhooks(session, organisation_id, after=page[0].webhook_id)
    assert [each.url for each in (*page, *rest)] == [f"https://crm.example/{n}" for n in range(2)]
