"""The database goes away while a mail server answers: the answer is told later, not lost or repeated."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator

import psycopg
import pytest

from consentledger.db.installation import Installation
from tests.factories import create_published_form
from tests.support.mails import handled, sign_up, work_off
from tests.support.smtp import Received, SmtpPeer

pytestmark = pytest.mark.fault
AWAY = 1.2  # seconds


class BadMoment(SmtpPeer):
    """A peer that takes a message, and in that moment the database can't be written."""

    url: str = ""

    def _keep(self, received: Received) -> None:
        lock(self.url)
        super()._keep(received)


def lock(url: str) -> None:
    """Holds the outbox locked for a while, as another program would."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)
        file.execute("BEGIN IMMEDIATE")
        threading.Timer(AWAY, file.close).start()
        return
    server = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"))
    server.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")
    threading.Timer(AWAY, server.close).start()


@pytest.fixture
def smtp(database_url: str) -> Iterator[SmtpPeer]:
    """A peer that picks the worst moment."""
    with BadMoment() as peer:
        peer.url = database_url
        yield peer


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """An installation that waits for a lock only shortly."""
    return {**environment, "CONSENTLEDGER_LOCK_TIMEOUT_SECONDS": "0.2"}


def test_an_answer_that_can_not_be_written_yet_is_not_lost(
    installation: Installation, smtp: SmtpPeer
):
    made = create_published_form(installation.database, installation.settings)
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation)
    assert len(smtp.messages) == 1
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["smtp_code"], told["attempts"]) == ("sent", 250, 1)
