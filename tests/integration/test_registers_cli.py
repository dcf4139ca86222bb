"""`consentledger register …` on both engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from tests.factories import create_organisation


@pytest.fixture
def run(installation: Installation, environment: dict[str, str]):
    """Runs a command against the installation; alice's organisation and another are there."""
    for name in ("alice", "charlie"):
        create_organisation(installation.database, installation.settings, name=name)

    def command(*words: str, stdin: str | None = None) -> Result:
        return CliRunner(env=environment).invoke(cli, ["register", *words], input=stdin)

    return command


def test_a_register_is_imported_and_listed(installation: Installation, run, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("msisdn;status\n0821234567;BLOCKED\n0821234568;FREE\n")
    how = (
        "--as-of",
        "2026-11-01T06:00:00+02:00",
        "--column",
        "msisdn",
        "--where",
        "status=BLOCKED",
    )
    made = json.loads(run("import", *how, "--json", "alice", "ZA-NCC", str(file)).output)
    assert (made["count"], made["added"], made["as_of"]) == (1, 1, "2026-11-01T04:00:00.000000Z")
    assert (
        f"entry {made['entry_index']} already"
        in run("import", *how, "alice", "ZA-NCC", str(file)).output
    )
    listed = run("list", "alice").output
    assert "ZA-NCC: 1 entries as of 2026-11-01 04:00 UTC; no adopted pack demands it" in listed
    assert "none is imported" in run("list", "charlie").output
    owner = create_organisation(installation.database, installation.settings, name="zoe")
    with installation.database.begin() as tx:
        adopt_packs(tx, AdoptPacks(owner.organisation_id, (Adoption("ZA"),), "operator"))
    (one,) = json.loads(run("list", "--json", "zoe").output)["registers"]
    assert (one["register"], one["state"], one["as_of"]) == ("ZA-NCC", "missing", None)
    assert "ZA-NCC: never imported" in run("list", "zoe").output
    old = ("--as-of", "2020-01-01T00:00:00Z", "zoe", "ZA-NCC", "-")
    assert run("import", "--column", "msisdn", *old, stdin="msisdn\n0821234567\n").exit_code == 0
    assert "STALE since" in run("list", "zoe").output


def test_what_is_wrong_is_named_and_nothing_is_imported(run, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a@b.example\nnonsense\n")
    at = ("--as-of", "2026-11-01T00:00:00Z")
    for words, named in (
        ((*at, "alice", "AT-X", str(file)), "line 2"),
        ((*at, "nobody", "AT-X", str(file)), "nobody"),
        (("--as-of", "yesterday", "alice", "AT-X", str(file)), "an instant with its zone"),
        ((*at, "alice", "at-x", str(file)), "a code such as"),
        ((*at, "--where", "status", "alice", "AT-X", str(file)), "COLUMN=VALUE"),
    ):
        answer = run("import", *words)
        assert answer.exit_code != 0
        assert named in str(answer.exception)
    assert "none is imported" in run("list", "alice").output
