"""What had ended before a restore ends again behind it: an older database brings nobody back for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
from sqlalchemy import func, select

from consentledger.app import create_app
from consentledger.contacts.models import Contact
from consentledger.db.installation import Installation
from consentledger.recovery.archive import write_archive
from consentledger.recovery.service import Recover, recover
from consentledger.replay.service import compare, fsck
from consentledger.worker import housekeeping
from tests.support.consents import raw_bytes
from tests.support.mails import work_off
from tests.support.restores import backup
from tests.web import acts
from tests.web.town import open_shop

PLANTED = "planted.person@hidden.example"


def contacts(installation: Installation) -> int:
    """How many contacts there are."""
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(Contact)) or 0


def ended(installation: Installation) -> None:
    """Lets a worker end what is due; a mail that is given up on the way makes a second round of it."""
    for _ in range(2):
        housekeeping.end(installation)
        work_off(installation)


def test_a_request_that_expired_after_the_backup_goes_again(
    installation: Installation, tmp_path: Path
) -> None:
    client = create_app(installation.settings, installation).test_client(use_cookies=False)
    shop = open_shop(installation, "Alpenkraut")
    organisation_id = shop.organisation_id
    # Another contact's first: theirs stays whatever happens to this one.
    acts.press(client, acts.confirm_token(installation, client, shop))
    acts.confirm_token(installation, client, shop, PLANTED)
    with backup(installation.database) as earlier:
        later = datetime.now(UTC) + timedelta(days=8)
        with time_machine.travel(later, tick=True):
            ended(installation)
            housekeeping.sign(installation)
            export = tmp_path / "export.jsonl"
            with installation.database.snapshot() as session, export.open("w") as file:
                write_archive(session, organisation_id, 0, file)
            assert contacts(installation) == 1
            earlier.restore()
            assert contacts(installation) == 2
            outcome = recover(installation, Recover(organisation_id, (export,)))
            assert not outcome.frozen, outcome.said
            ended(installation)
            housekeeping.sweep_ended(installation)
            assert fsck(installation, organisation_id).findings == []
            assert compare(installation, organisation_id) == []
        assert contacts(installation) == 1
    stored = raw_bytes(installation.database)
    assert PLANTED.encode() not in stored
