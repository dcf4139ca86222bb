"""What waited in the outbox at the time of a backup waits again after its restore; nobody gets a second mail."""

from __future__ import annotations

from pathlib import Path

from consentledger.db.installation import Installation
from consentledger.recovery.archive import write_archive
from consentledger.recovery.service import Recover, recover
from tests.factories import create_published_form
from tests.support.mails import handled, sign_up, waiting, work_off
from tests.support.restores import backup
from tests.support.smtp import SmtpPeer


def test_a_mail_that_the_entries_say_was_sent_is_not_sent_again(
    installation: Installation, smtp: SmtpPeer, tmp_path: Path
) -> None:
    database = installation.database
    made = create_published_form(database, installation.settings, noise=False)
    sign_up(database, made.form, "pia@person.example")
    installation.signer.sign_due()
    with backup(database) as taken:
        work_off(installation)
        assert len(smtp.messages) == 1
        installation.signer.sign_due()
        export = tmp_path / "entries.jsonl"
        with database.snapshot() as session, export.open("w") as file:
            write_archive(session, made.organisation_id, 0, file)
        taken.restore()
        assert waiting(installation) == 1
        outcome = recover(installation, Recover(made.organisation_id, (export,)))
        assert not outcome.frozen, outcome.said
        work_off(installation)
    assert len(smtp.messages) == 1
    assert [found["outcome"] for found in handled(database, made.organisation_id)] == ["sent"]
