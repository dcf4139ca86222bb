"""The worker's timers on both engines: what they sign, end and sweep, and what they leave."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, insert, select, update

from consentledger.accounts.models import IdempotentAnswer
from consentledger.consents.models import ConsentRequest
from consentledger.db.counters import BATCH, Slot
from consentledger.db.fsck import fsck
from consentledger.db.installation import Installation
from consentledger.db.models import ContactKey, LogCheckpoint, LogHead
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.clock import now
from consentledger.kernel.errors import IntegrityError
from consentledger.worker import housekeeping
from tests.factories import MadeForm, create_published_form
from tests.support.mails import entries, eventually, sign_up, stored, waiting, work_off, working
from tests.support.smtp import SmtpPeer


@pytest.fixture
def made(installation: Installation) -> MadeForm:
    """A published form, and a stranger's."""
    return create_published_form(installation.database, installation.settings)


def count(installation: Installation, model: type) -> int:
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_every_log_that_grew_is_signed(installation: Installation, made: MadeForm):
    assert housekeeping.sign(installation) == 2
    assert housekeeping.sign(installation) == 0
    sign_up(installation.database, made.form, "erika@example.net")
    assert housekeeping.sign(installation) == 1
    with installation.database.read() as session:
        assert latest_checkpoint(session, made.organisation_id) is not None


def test_one_damaged_log_does_not_stop_the_others(installation: Installation, made: MadeForm):
    database = installation.database
    with database.begin() as tx:
        tx.session.execute(
            update(LogHead)
            .where(LogHead.organisation_id == made.organisation_id)
            .values(mac=bytes(32))
        )
    with pytest.raises(IntegrityError):
        housekeeping.sign(installation)
    with database.read() as session:
        signed = session.scalars(select(LogCheckpoint.organisation_id)).all()
    assert len(signed) == 1
    assert made.organisation_id not in signed


def test_what_nobody_confirmed_ends_and_is_erased(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation)
    assert housekeeping.end(installation) == 0
    with time_machine.travel(now() + timedelta(days=7, seconds=1), tick=True):
        assert housekeeping.end(installation) == 1
        assert housekeeping.end(installation) == 0
        work_off(installation)
        assert count(installation, ConsentRequest) == 0
        assert not any(b"erika" in content for _, content in stored(installation.database))
        kinds = [entry.kind for entry in entries(installation.database, made.organisation_id)]
        assert kinds[-5:] == [
            "consent.requested",
            "confirmation.prepared",
            "confirmation.handled",
            "consent.expired",
            "log.erasure",
        ]
        housekeeping.sign(installation)
        report = fsck(installation, made.organisation_id, openings=True)
        assert report.ok, report.findings


def test_counters_and_kept_answers_go_when_their_time_is_over(
    installation: Installation, made: MadeForm
):
    counters, at = installation.database.counters, int(now().timestamp())
    slots = [Slot(n.to_bytes(16, "big"), 1, at - 1 if n else at + 60) for n in range(BATCH + 3)]
    for first in range(0, len(slots), 100):
        counters.add(slots[first : first + 100])
    with installation.database.begin() as tx:
        answers = [
            {
                "organisation_id": made.organisation_id,
                "key_hash": n.to_bytes(32, "big"),
                "request_hash": bytes(32),
                "status": 200,
                "sealed": b"",
                "kept_until": tx.now + timedelta(hours=-1 if n else 1),
            }
            for n in range(housekeeping.BATCH + 3)
        ]
        tx.session.execute(insert(IdempotentAnswer), answers)
    assert housekeeping.sweep_limits(installation) == BATCH + 2
    assert housekeeping.sweep_limits(installation) == 0
    assert counters.read(slots[:3]) == {slots[0].key: 1}
    assert housekeeping.sweep_answers(installation) == housekeeping.BATCH + 2
    assert count(installation, IdempotentAnswer) == 1


def test_keys_that_no_contact_took_are_swept_and_others_stay(
    installation: Installation, made: MadeForm, smtp: SmtpPeer
):
    for _ in range(3):
        sign_up(installation.database, made.form, "erika@example.net")
    work_off(installation)
    assert count(installation, ContactKey) == 3
    housekeeping.sweep_ended(installation)
    assert count(installation, ContactKey) == 3, "a sign-up may be about to use one"
    with time_machine.travel(now() + timedelta(hours=2), tick=True):
        assert housekeeping.sweep_ended(installation)["keys"] == 2
        assert housekeeping.sweep_ended(installation)["keys"] == 0
    assert len(entries(installation.database, made.organisation_id, "consent.requested")) == 3


def test_the_write_ahead_log_is_emptied(installation: Installation, made: MadeForm):
    assert housekeeping.truncate_wal(installation) is True
    if installation.database.name == "sqlite":
        assert Path(f"{installation.database.url.database}-wal").stat().st_size == 0


def test_all_timers_run_beside_the_work(installation: Installation, made: MadeForm, smtp: SmtpPeer):
    timers = [
        type(timer)(timer.name, 0.05, timer.act, timer.doc)
        for timer in housekeeping.timers(installation.settings)
    ]
    with working(installation, timers=timers):
        for n in range(5):
            sign_up(installation.database, made.form, f"person{n}@example.net")
        eventually(lambda: waiting(installation) == 0)
    assert len(smtp.messages) == 5
    assert fsck(installation, made.organisation_id, openings=True).ok
