"""`consentledger rules …`: read without a database, checked before anybody relies on it, adopted on both engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConsentLedgerError, InputError, NotFoundError
from consentledger.law.reading import packs
from consentledger.law.reading.choosing import ids
from consentledger.law.reading.schemas import SlipsError
from tests.factories import create_organisation

Run = Callable[..., Result]


def rules(*words: str) -> Result:
    return CliRunner().invoke(cli, ["rules", *words])


def told(*words: str) -> str:
    result = rules(*words)
    assert result.exit_code == 0, result.exception
    return str(result.output)


@pytest.mark.parametrize("pack_id", ids())
def test_each_pack_is_shown_whole_within_80_columns(pack_id: str) -> None:
    pack = packs.pack(f"{pack_id}@1")
    said = told("show", pack.name)
    # An address is never cut: it may run on.
    assert not [line for line in said.splitlines() if len(line) > 80 and "://" not in line]
    assert not [line for line in said.splitlines() if line != line.rstrip()]
    flowing = " ".join(said.split())
    for part in (pack.consent.says, pack.unsubscribe.says, pack.identity.says, pack.outside):
        assert " ".join(part.split()) in flowing
    assert all(f"[{one.id}] {one.title}"[:40] in flowing for one in pack.citations.values())
    assert "This is no legal advice." in said
    assert ("its exception is off" in flowing) == (pack.status == "draft")


def test_a_country_is_found_however_it_is_written() -> None:
    assert "Germany (DE@1)" in told("show", "de")
    assert "(CA@1)" in told("show", "ca-qc")
    assert "(EU@1)" in told("show", "BG")
    assert "(XX@1)" in told("show", "KP")
    assert "(IN@2)" in told("show", "in@2")
    found = json.loads(told("show", "GB", "--json"))
    assert found["name"] == "GB@1"
    assert found["pack"]["exception"]["triggers"] == list(packs.pack("GB@1").exception.triggers)
    for wrong in ("ZZ", "Germany", "DE@7"):
        assert isinstance(rules("show", wrong).exception, ConsentLedgerError)


def test_all_packs_are_listed() -> None:
    lines = told("list").splitlines()
    assert len(lines) == len(ids()) + 1
    assert all(len(line) <= 80 for line in lines)
    assert [one["name"] for one in json.loads(told("list", "--json"))["packs"]][-1] == "ZA@1"


def test_a_right_file_is_said_to_be_right(tmp_path: Path) -> None:
    copy = tmp_path / "DE.toml"
    copy.write_bytes(packs.pack_bytes("DE@1"))
    said = " ".join(told("check", str(copy)).split())
    assert said.startswith("DE.toml is right: DE@1, Germany")
    assert packs.pack("DE@1").hash in said.replace(" ", "")
    newer = tmp_path / "DE-2.toml"
    text = copy.read_text().replace('version = "1"', 'version = "2"', 1)
    newer.write_text(text)
    assert "It takes the place of DE@1" in " ".join(told("check", str(newer)).split())
    changes = told("diff", "DE@1", str(newer))
    assert "DE@1 → DE@2" in changes
    assert "+ 2" in changes


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[exception]", "[exception]\navailible = true", "exception.availible"),
        ('natural = "opt_in"', 'natural = "opt-in"', "regime.email.natural"),
        ('id = "EU"', "id = 7", "id"),
        ("[objection]\n", '[objection]\nsays = "twice"\n', "file"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    wrong = tmp_path / "EU.toml"
    text = packs.pack_bytes("EU@1").decode()
    assert old in text
    wrong.write_text(text.replace(old, new, 1))
    error = rules("check", str(wrong)).exception
    assert isinstance(error, InputError)
    assert f"rule pack EU.toml, {key}" in str(error)


def test_every_slip_is_named_at_once(tmp_path: Path) -> None:
    wrong = tmp_path / "EU.toml"
    text = packs.pack_bytes("EU@1").decode()
    text = text.replace('natural = "opt_in"', 'natural = "no"').replace("days = 0", "days = -1")
    wrong.write_text(text)
    error = rules("check", str(wrong)).exception
    assert isinstance(error, SlipsError)
    assert {"regime.email.natural", "regime.sms.natural", "unsubscribe.days"} <= {
        key for key, _ in error.slips
    }


def test_a_file_that_is_not_there_or_lacks_its_parent_is_named(tmp_path: Path) -> None:
    error = rules("check", str(tmp_path / "no.toml")).exception
    assert isinstance(error, InputError)
    assert "can't be read" in str(error)
    child = tmp_path / "DE.toml"
    child.write_text(packs.pack_bytes("DE@1").decode().replace('"EU@1"', '"EU@9"'))
    assert "EU@9" in str(rules("check", str(child)).exception)
    # The parent beside the file comes before the installation's own.
    shutil.copy(packs.FOLDER / "EU.toml", tmp_path / "EU-9.toml")
    assert isinstance(rules("check", str(child)).exception, InputError)


@pytest.fixture
def run(installation: Installation, environment: dict[str, str]) -> Run:
    create_organisation(installation.database, installation.settings, name="bob")
    create_organisation(installation.database, installation.settings, name="alice")

    def command(*words: str) -> Result:
        return CliRunner(env=environment).invoke(cli, ["rules", *words])

    return command


def test_packs_are_adopted_listed_and_compared(run: Run) -> None:
    said = run("adopt", "alice", "DE", "HU", "--stricter", "DE:exception=off").output
    assert said.splitlines() == [
        "EU@1 is adopted (entry 3).",
        "DE@1 is adopted (entry 4); stricter: exception=off.",
        "HU@1 is adopted (entry 5).",
        "    It is a draft: until it is checked in full, its exception is off.",
    ]
    again = run("adopt", "alice", "DE", "--stricter", "exception=off").output
    assert again == "DE@1 was adopted so already.\n"
    risk = "sale_indirect_remuneration"
    assert f"with the risk of {risk}" in run("adopt", "alice", "EU", "--accept", risk).output
    assert "DE@1 stricter" in " ".join(run("list", "--organisation", "alice").output.split())
    listed = json.loads(run("list", "--organisation", "bob", "--json").output)["packs"]
    assert [one["name"] for one in listed if one["adopted"]] == ["XX@1"]
    assert "Nothing newer" in run("diff", "alice").output
    assert run("adopt", "alice", "IN@1").exit_code == 0
    assert "IN@1 → IN@2" in run("diff", "alice").output
    assert "Newer: IN@2" in run("list", "--organisation", "alice").output
    updates = json.loads(run("diff", "alice", "--json").output)["updates"]
    assert {one["key"] for one in updates[0]["changes"]} >= {"version", "valid_from"}


def test_all_packs_are_adopted_at_once(run: Run) -> None:
    done = json.loads(run("adopt", "alice", "--all", "--json").output)
    assert len(done["adopted"]) + len(done["unchanged"]) == len(ids())
    assert done["unchanged"] == ["XX@1"]


@pytest.mark.parametrize(
    "words",
    [
        ("adopt", "alice"),
        ("adopt", "alice", "ZZ"),
        ("adopt", "alice", "DE", "--stricter", "exception=on"),
        ("adopt", "alice", "DE", "--stricter", "FR:exception=off"),
        ("adopt", "alice", "DE", "--accept", "donation"),
    ],
)
def test_what_can_not_be_adopted_is_refused(run: Run, words: tuple[str, ...]) -> None:
    assert isinstance(run(*words).exception, InputError)


def test_an_unknown_organisation_is_not_found(run: Run) -> None:
    assert isinstance(run("adopt", "nobody", "DE").exception, NotFoundError)
    assert isinstance(run("diff", "nobody").exception, NotFoundError)
    assert run("diff", "a", "b", "c").exit_code == 2
