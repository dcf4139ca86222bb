"""`consentledger webhook …` on both engines."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from tests.factories import create_organisation


@pytest.fixture
def run(installation: Installation, environment: dict[str, str]):
    """Runs a command against the installation."""

    def command(name: str, organisation: str, *words: str) -> Result:
        whole = ["webhook", name, "--organisation", organisation, *words]
        return CliRunner(env=environment).invoke(cli, whole)

    return command


def test_webhooks_are_added_listed_and_removed(installation: Installation, run) -> None:
    for name in ("alice", "charlie"):
        create_organisation(installation.database, installation.settings, name=name)
    assert "no webhooks yet" in run("list", "alice").output
    made = json.loads(run("add", "alice", "--json", "https://crm.example/hook").output)
    assert made["events"] == ["contact.erased", "contact.restricted", "form.paused"]
    shown = run("add", "alice", "--event", "contact.erased", "https://shop.example/").output
    secret = shown.splitlines()[-1]
    assert secret.startswith("whsec_")
    listed = run("list", "alice").output
    assert (
        "live  https://crm.example/hook  contact.erased, contact.restricted, form.paused" in listed
    )
    assert "last told never, last error none" in listed
    assert "whsec" not in listed
    assert len(json.loads(run("list", "alice", "--json").output)["webhooks"]) == 2
    assert "no webhooks yet" in run("list", "charlie").output
    assert run("remove", "charlie", made["webhook_id"]).exit_code != 0
    assert "is deleted" in run("remove", "alice", made["webhook_id"]).output
    assert made["webhook_id"] not in run("list", "alice").output


def test_addresses_inside_are_refused(installation: Installation, run) -> None:
    create_organisation(installation.database, installation.settings, name="alice")
    for url in ("http://crm.example/", "https://localhost/", "https://10.0.0.1/"):
        assert run("add", "alice", url).exit_code != 0
    assert "no webhooks yet" in run("list", "alice").output
