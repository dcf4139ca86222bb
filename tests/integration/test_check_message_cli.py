"""`consentledger check-message` on both engines: what it prints at 80 columns, its exit codes, what it can't read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.kernel.errors import InputError, NotFoundError, UnusableError
from consentledger.permits.answers import issued_answer
from tests.support.permits import IDENTITY, make_shop
from tests.unit.messages.samples import DKIM, message

Run = Callable[..., Result]
ANN = "ann@example.org"


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def command(*words: str) -> Result:
        runner = CliRunner(env={**environment, "COLUMNS": "80"})
        words = ("check-message", *words, "--organisation", "alice")
        return runner.invoke(cli, words, standalone_mode=False)

    return command


@pytest.fixture
def file(installation: Installation, tmp_path: Path) -> Path:
    """A message in order, with a real permit."""
    shop = make_shop(installation.database, installation.settings)
    shop.confirm(ANN)
    base_url = installation.settings.base_url
    answer = issued_answer(shop.issue(ANN), installation.tokens, base_url)
    row = json.loads(orjson.dumps(answer))["permits"][0]
    address = IDENTITY.postal_address.replace("\n", ", ")
    lines = ("Seeds!", IDENTITY.legal_name, address, IDENTITY.contact_email, row["unsubscribe_url"])
    content = message(
        text="\n".join(lines),
        html=None,
        DKIM_Signature=DKIM.replace("shop.example", "alice.example"),
        From=f"{IDENTITY.from_name} <{IDENTITY.from_address}>",
        To=ANN,
        List_Unsubscribe=row["headers"]["List-Unsubscribe"],
    )
    made = tmp_path / "offer.eml"
    made.write_bytes(content)
    return made


def test_a_message_in_order(run: Run, file: Path) -> None:
    done = run(str(file))
    assert done.return_value == 0, done.output
    assert "Nothing failed." in done.output
    assert "proves only that we did not permit it" in " ".join(done.output.split())
    assert max(map(len, done.output.splitlines())) <= 80
    told = run(str(file), "--recipient", ANN.upper(), "--json")
    said = json.loads(told.output)
    assert (told.return_value, said["ready"], said["sender"]) == (0, True, IDENTITY.from_address)
    assert {one["outcome"] for one in said["findings"]} == {"pass"}


def test_what_must_be_mended_comes_first(run: Run, file: Path) -> None:
    spoiled = file.with_name("spoiled.eml")
    spoiled.write_bytes(file.read_bytes().replace(b"List-Unsubscribe-Post", b"List-Post"))
    done = run(str(spoiled))
    assert done.return_value == 1
    lines = done.output.splitlines()
    assert lines[0].startswith("fail")
    assert "To mend: Set it to List-Unsubscribe=One-Click, exactly once." in " ".join(
        done.output.split()
    )
    assert any(line.startswith("1 of ") for line in lines)
    assert max(map(len, lines)) <= 80
    other = run(str(file), "--recipient", "bea@example.org", "--json")
    assert other.return_value == 1
    assert json.loads(other.output)["ready"] is False


def test_what_can_not_be_read(run: Run, file: Path) -> None:
    assert isinstance(run(str(file.parent / "nowhere.eml")).exception, UnusableError)
    file.write_bytes(b"hello")
    assert isinstance(run(str(file)).exception, InputError)


def test_an_unknown_organisation(environment: dict[str, str], file: Path) -> None:
    words = ["check-message", str(file), "--organisation", "nobody"]
    assert isinstance(CliRunner(env=environment).invoke(cli, words).exception, NotFoundError)
