"""Workers that are killed in the middle: no mail is lost, a repeat is the same message, and bounded."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter, defaultdict
from uuid import UUID

import pytest
from sqlalchemy import select

from consentledger.db.fsck import fsck
from consentledger.db.installation import Installation
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.outbox.models import OutboxRow
from tests.factories import MadeForm, create_published_form
from tests.support.mails import entries, eventually, handled, sign_up, waiting, worker_process
from tests.support.smtp import HANG, SmtpPeer

pytestmark = pytest.mark.fault


@pytest.fixture
def made(installation: Installation) -> MadeForm:
    """A published form."""
    return create_published_form(installation.database, installation.settings)


def leased(installation: Installation) -> int:
    with installation.database.read() as session:
        return sum(holder is not None for holder in session.scalars(select(OutboxRow.leased_by)))


def stories(installation: Installation, made: MadeForm) -> dict[str, Counter[str]]:
    """How many entries of each kind every request has."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries(installation.database, made.organisation_id):
        for request in entry.values.get("requests", [entry.values.get("request")]):
            if request is not None:
                found[request][entry.kind] += 1
    return found


ONE_STORY = Counter(("consent.requested", "confirmation.prepared", "confirmation.handled"))


def test_a_worker_killed_while_the_peer_thinks(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, environment: dict[str, str]
):
    smtp.next("accepted", HANG)
    sign_up(installation.database, made.form, "erika@example.net")
    with worker_process(environment) as first:
        smtp.wait(1)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert leased(installation) == 1, "it died with the work in hand"
    with worker_process(environment):
        eventually(lambda: waiting(installation) == 0)
    one, other = smtp.wait(2)
    assert one == other
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["attempts"]) == ("sent", 2)
    assert stories(installation, made) == {told["requests"][0]: ONE_STORY}


def test_a_worker_killed_between_the_peer_s_answer_and_the_commit(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, environment: dict[str, str]
):
    sign_up(installation.database, made.form, "erika@example.net")
    for deaths in (1, 2):
        with worker_process(environment, "before-commit", lease=0.5) as doomed:
            assert doomed.wait(15) == -signal.SIGKILL
        assert len(smtp.messages) == deaths
    with worker_process(environment):
        eventually(lambda: waiting(installation) == 0)
    assert len(smtp.messages) == 3
    assert len(set(smtp.messages)) == 1, "the same message, with the same Message-ID"
    (told,) = handled(installation.database, made.organisation_id)
    assert (told["outcome"], told["attempts"]) == ("sent", 3)
    assert told["message_id"].encode() in smtp.messages[0].content


def test_repeats_are_bounded(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, environment: dict[str, str]
):
    sign_up(installation.database, made.form, "erika@example.net")
    for _ in range(2):
        with worker_process(environment, "before-commit", lease=0.3, most=2) as doomed:
            assert doomed.wait(15) == -signal.SIGKILL
    with worker_process(environment, "before-commit", lease=0.3, most=2) as survivor:
        eventually(lambda: waiting(installation) == 0)
        assert survivor.poll() is None, "it did not try a third time"
    assert len(smtp.messages) == 2
    (told,) = handled(installation.database, made.organisation_id)
    assert told["outcome"] == "given_up"


def test_workers_killed_at_any_moment_lose_nothing(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, environment: dict[str, str]
):
    chance = random.Random(2026)
    addresses = [f"person{n}@example.net" for n in range(8)]
    for address in addresses:
        sign_up(installation.database, made.form, address)
    kills = 0
    while kills < 3 and waiting(installation):
        before = len(smtp.messages)
        with worker_process(environment, lease=1.5) as doomed:
            deadline = time.monotonic() + 5
            while len(smtp.messages) == before and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.03))
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()
        kills += 1
    with worker_process(environment, lease=1.5):
        eventually(lambda: waiting(installation) == 0, 30)
    assert kills > 1
    copies = defaultdict(set)
    for message in smtp.messages:
        copies[message.rcpt_tos].add(message.content)
    assert sorted(copies) == sorted((address,) for address in addresses)
    assert all(len(contents) == 1 for contents in copies.values())
    assert len(smtp.messages) <= len(addresses) + 2 * kills, "at most what was in hand, again"
    told = stories(installation, made)
    assert len(told) == len(addresses)
    assert all(story == ONE_STORY for story in told.values())
    assert {each["outcome"] for each in handled(installation.database, made.organisation_id)} == {
        "sent"
    }
    check(installation, made.organisation_id)


def check(installation: Installation, organisation_id: UUID) -> None:
    installation.signer.sign(organisation_id)
    report = fsck(installation, organisation_id, openings=True)
    assert report.ok, report.findings


def test_sigterm_finishes_what_was_begun_and_begins_nothing(
    installation: Installation, made: MadeForm, smtp: SmtpPeer, environment: dict[str, str]
):
    smtp.next("accepted", HANG)
    environment = {**environment, "CONSENTLEDGER_MAIL_TIMEOUT": "0.5"}
    sign_up(installation.database, made.form, "erika@example.net")
    with worker_process(environment) as worker:
        smtp.wait(1)
        sign_up(installation.database, made.form, "later@example.net")
        worker.terminate()
        assert worker.wait(15) == 0
    assert leased(installation) == 0, "nothing is left in hand"
    assert handled(installation.database, made.organisation_id) == []
    with worker_process(environment):
        eventually(lambda: waiting(installation) == 0)
    outcomes = [each["outcome"] for each in handled(installation.database, made.organisation_id)]
    assert outcomes == ["sent", "sent"]
    assert {message.rcpt_tos[0] for message in smtp.messages} == {
        "erika@example.net",
        "later@example.net",
    }


def test_a_signing_timer_keeps_up_with_the_log(
    installation: Installation, made: MadeForm, environment: dict[str, str]
):
    environment = {**environment, "CONSENTLEDGER_CHECKPOINT_SECONDS": "0.1"}

    def signed() -> int:
        with installation.database.read() as session:
            found = latest_checkpoint(session, made.organisation_id)
        return found.size if found else 0

    with worker_process(environment):
        eventually(lambda: signed() > 0)
        before = signed()
        sign_up(installation.database, made.form, "erika@example.net")
        eventually(lambda: waiting(installation) == 0)
        eventually(lambda: signed() == before + 3)
    check(installation, made.organisation_id)
