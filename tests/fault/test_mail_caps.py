"""A worker that is killed between its claim of a capped mail and the log's entry: no claim is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from consentledger.db.installation import Installation
from consentledger.db.models import CapKey
from consentledger.limits.models import MailCap
from consentledger.outbox.models import OutboxRow
from tests.factories import create_published_form
from tests.support.mails import eventually, handled, sign_up, waiting, worker_process
from tests.support.smtp import SmtpPeer

pytestmark = pytest.mark.fault
# It is killed behind its claim, and before anything is appended.
DOOMED = """
import os, signal
from consentledger.db.installation import open_installation
from consentledger.kernel.settings import Settings
from consentledger.worker import main
from consentledger.worker.jobs import confirmation
from consentledger.worker.loop import Pace

confirmation.prepare_confirmation = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
main.run(open_installation(Settings.load()), Pace(threads=1, poll=0.02, lease=1.0, drain=1.0))
"""


def test_a_worker_killed_behind_its_claim_leaves_none(
    installation: Installation,
    smtp: SmtpPeer,
    environment: dict[str, str],
) -> None:
    made = create_published_form(installation.database, installation.settings)
    sign_up(installation.database, made.form, "victim@example.net")
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    with subprocess.Popen(
        [sys.executable, "-c", DOOMED],
        env={**kept, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.wait(60) == -signal.SIGKILL
    with installation.database.read() as session:
        for model in (MailCap, CapKey):
            assert session.scalar(select(func.count()).select_from(model)) == 0
        assert (session.scalar(select(OutboxRow.attempts)) or 0) > 0, (
            "it died with the work in hand"
        )
    with worker_process(environment):
        eventually(lambda: waiting(installation) == 0, 60)
    assert len({one.content for one in smtp.messages}) == 1, "one mail, however often it was sent"
    (told,) = handled(installation.database, made.organisation_id)
    assert told["outcome"] == "sent"
