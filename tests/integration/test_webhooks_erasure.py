"""Whoever was given the data hears of its end (GDPR art. 19), from the request to the receiver's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook as Receiver

from consentledger.db.installation import Installation
from consentledger.erasure import service
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.webhooks.service import CreateWebhook, create_webhook
from tests.factories import create_published_form
from tests.support import erasures
from tests.support.consents import raw_bytes
from tests.support.evidence import ANNA, Path
from tests.support.http import HttpPeer
from tests.support.installations import settings_from
from tests.support.mails import work_off


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """With webhooks to this machine: the peer stands there."""
    return settings_from({**environment, "CONSENTLEDGER_WEBHOOK_ALLOW_LOOPBACK": "true"})


@pytest.fixture
def peer() -> Iterator[HttpPeer]:
    with HttpPeer() as running:
        yield running


def test_the_receiver_is_told_and_then_nobody_here_knows_the_address(
    installation: Installation, peer: HttpPeer
) -> None:
    database = installation.database
    made = create_published_form(
        database, installation.settings, titles=("weekly offers", "events")
    )
    path = Path(installation, made)
    with database.begin() as tx:
        url = peer.url(host="127.0.0.1")
        events = ("contact.erased", "contact.restricted")
        command = CreateWebhook(made.organisation_id, url, events, loopback=True)
        webhook = create_webhook(tx, command)
    link = path.decide(path.request(ANNA))
    assert link
    path.press(link)
    work_off(installation)
    asked = erasures.ask(database, made.organisation_id, ANNA)
    service.collect_requested(database, made.organisation_id, None, installation.journal)
    work_off(installation)
    (request,) = [r for r in peer.requests if b"contact.erased" in r.body]
    said = Receiver(webhook.secret).verify(request.body, dict(request.headers))
    assert said["data"]["address"] == ANNA
    assert said["data"]["erasure"] == str(asked.erasure_id)
    assert said["data"]["todo"].startswith("delete the address")
    assert said["data"]["before"] == to_text(asked.requested_at)
    assert erasures.receipt(database, made.organisation_id, asked.erasure_id).state == "destroyed"
    assert b"shop-customer" not in raw_bytes(database)
