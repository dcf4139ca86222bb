"""`consentledger outbox …`: what an operator sees of work, and how buried work comes back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.outbox import service
from tests.factories import create_organisation
from tests.support.mails import waiting


@pytest.fixture
def run(installation: Installation, environment: dict[str, str]):
    """Runs a command against the installation."""

    def command(*words: str) -> Result:
        return CliRunner(env=environment).invoke(cli, ["outbox", *words])

    return command


def test_buried_work_is_shown_and_revived(installation: Installation, run):
    database = installation.database
    assert "nothing to do" in run("list").output
    owner = create_organisation(database, installation.settings, name="alice")
    create_organisation(database, installation.settings, name="charlie")
    with database.begin() as tx:
        outbox_id = service.enqueue(
            tx, owner.organisation_id, "test", {"address": "erika@x.example"}
        )
        service.enqueue(tx, owner.organisation_id, "test", {})
    job = next(
        job
        for job in service.lease(database, "w", ["test"], limit=9, seconds=9)
        if job.outbox_id == outbox_id
    )
    with database.begin() as tx:
        service.bury(tx, job, "IntegrityError")
    shown = run("list").output
    assert f"alice: test {outbox_id}, 1 tries, IntegrityError" in shown
    assert "erika" not in shown
    told = json.loads(run("list", "--json").output)
    assert [(row["id"], row["reason"]) for row in told["buried"]] == [
        (str(outbox_id), "IntegrityError")
    ]
    counts = {(row["state"], row["rows"], row["later"]) for row in told["counts"]}
    assert counts == {("due", 1, 0), ("buried", 1, 0)}

    assert run("revive", "--organisation", "charlie", str(outbox_id)).exit_code != 0
    assert run("revive", "--organisation", "alice", "no-id").exit_code == 2
    assert run("revive", "--organisation", "alice", str(outbox_id)).exit_code == 0
    assert run("revive", "--organisation", "alice", str(outbox_id)).exit_code != 0
    assert json.loads(run("list", "--json").output)["buried"] == []
    assert waiting(installation) == 2


def test_work_that_waits_for_its_time_is_told_apart_from_work_that_nobody_does(
    installation: Installation, run
):
    database = installation.database
    owner = create_organisation(database, installation.settings, name="alice")
    with database.begin() as tx:
        for hours in (0, 1, 24):
            later = tx.now + timedelta(hours=hours)
            service.enqueue(tx, owner.organisation_id, "test", {}, run_at=later)
    assert "3  due     test" in run("list").output
    assert run("list").output.endswith(", 2 of them due later\n")
    service.lease(database, "w", ["test"], limit=9, seconds=9)
    (counted,) = json.loads(run("list", "--json").output)["counts"]
    assert (counted["rows"], counted["later"]) == (3, 2), "what is in hand is due"
