"""`evidence export` and `verify` as commands: exit codes, sentences, and files that are whole or not there."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from consentledger.db.installation import Installation
from tests.factories import create_published_form
from tests.support.evidence import ANNA
from tests.support.evidence import Path as Story
from tests.support.rotation import Command


@pytest.fixture
def story(installation: Installation) -> Story:
    """Anna agreed to weekly offers."""
    made = create_published_form(
        installation.database, installation.settings, titles=("weekly offers",)
    )
    told = Story(installation, made)
    link = told.decide(told.request())
    assert link is not None
    told.press(link)
    return told


@pytest.fixture
def bundle(story: Story, tmp_path: Path) -> Path:
    file = tmp_path / "bundle.zip"
    file.write_bytes(story.export()[0])
    (tmp_path / "policy.txt").write_bytes(story.policy())
    return file


def test_export_writes_a_private_file_that_verifies(
    command: Command, story: Story, tmp_path: Path
) -> None:
    name = _owner(command, story)
    file = tmp_path / "bundle.zip"
    words = ("evidence", "export", "--organisation", name, "--address", ANNA, "-o", file)
    code, said, error = command(*words)
    assert code == 0, error
    assert "consentledger verify" in said
    assert ANNA not in said
    assert file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "policy.txt").write_bytes(story.policy())
    assert command("verify", file, "--policy", tmp_path / "policy.txt")[0] == 0


def test_an_address_without_a_record_leaves_no_file(
    command: Command, story: Story, tmp_path: Path
) -> None:
    name = _owner(command, story)
    folder = tmp_path / "out"
    folder.mkdir()
    for address, words in (
        ("nobody@example.org", "nothing is recorded"),
        ("no address", "address"),
    ):
        code, _, said = command(
            "evidence",
            "export",
            "--organisation",
            name,
            "--address",
            address,
            "-o",
            folder / "x.zip",
        )
        assert code == 1
        assert words in said
        assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(
    command: Command, story: Story, tmp_path: Path
) -> None:
    name = _owner(command, story)
    target = tmp_path / "no" / "bundle.zip"
    code, _, said = command(
        "evidence", "export", "--organisation", name, "--address", ANNA, "-o", target
    )
    assert code == 78
    assert str(target) in said


def test_verify_has_four_exit_codes(command: Command, bundle: Path) -> None:
    policy = bundle.with_name("policy.txt")
    code, said, _ = command("verify", bundle, "--policy", policy)
    assert code == 0
    assert said.splitlines()[-1].startswith("VALID")
    code, said, _ = command("verify", bundle)
    assert code == 3
    assert "CONSISTENT WITH ITSELF ONLY" in said

    forged = bundle.with_name("forged.zip")
    forged.write_bytes(_with_a_changed_bit(bundle.read_bytes(), "README.txt"))
    code, said, _ = command("verify", forged, "--policy", policy)
    assert code == 1
    assert "README.txt" in said
    assert "(rule " in said

    empty = bundle.with_name("empty.zip")
    empty.write_bytes(b"")
    assert command("verify", empty, "--policy", policy)[0] == 2
    assert command("verify", bundle.with_name("missing.zip"))[0] == 2
    assert command("verify", bundle, "--policy", bundle.with_name("missing.txt"))[0] == 2
    big = bundle.with_name("big.txt")
    big.write_bytes(b"x" * 2_000_000)
    assert command("verify", bundle, "--policy", big)[0] == 2


def test_verify_speaks_json(command: Command, bundle: Path) -> None:
    code, said, _ = command("verify", bundle, "--policy", bundle.with_name("policy.txt"), "--json")
    told = json.loads(said)
    assert code == told["exit_code"] == 0
    assert {finding["kind"] for finding in told["findings"]} <= {"passed", "noted"}


def test_another_logs_policy_makes_it_invalid(
    command: Command, bundle: Path, story: Story, tmp_path: Path
) -> None:
    other = command(
        "organisation", "create", "Other", "--legal-name", "Other Ltd", "--country", "IE", "--json"
    )
    policy = tmp_path / "other.txt"
    policy.write_text(f"log {json.loads(other[1])['log_key']}\nquorum none\n")
    code, said, _ = command("verify", bundle, "--policy", policy)
    assert code == 1
    assert "checkpoint" in said


def _owner(command: Command, story: Story) -> str:
    known = json.loads(command("organisation", "list", "--json")[1])["organisations"]
    wanted = str(story.made.organisation_id)
    return next(str(each["name"]) for each in known if each["organisation_id"] == wanted)


def _with_a_changed_bit(data: bytes, name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = bytearray(old.read(info))
            if info.filename == name:
                content[0] ^= 1
            new.writestr(info, bytes(content))
    return target.getvalue()
