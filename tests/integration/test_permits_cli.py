"""`consentledger permits ask`, as an operator types it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db.installation import Installation
from consentledger.kernel.errors import InputError
from tests.support.permits import Shop, make_shop


@dataclass(frozen=True, slots=True)
class Desk:
    """A shop, a folder with a message in it, and the command."""

    shop: Shop
    folder: Path
    environment: dict[str, str]

    def ask(self, table: bytes, *words: str, out: str = "answer.csv") -> Result:
        """Asks about the people of a table."""
        message = self.folder / "message.json"
        message.write_text(json.dumps({**self.shop.key(), "campaign": "spring"}))
        people = self.folder / "people.csv"
        people.write_bytes(table)
        given = ["permits", "ask", "alice", str(people), "--message", str(message)]
        given += ["--out", str(self.folder / out), *words]
        return CliRunner(env=self.environment).invoke(cli, given)


@pytest.fixture
def desk(installation: Installation, environment: dict[str, str], tmp_path: Path) -> Desk:
    shop = make_shop(installation.database, installation.settings)
    shop.confirm("ann@example.org", "bea@example.org")
    return Desk(shop, tmp_path, environment)


def test_a_table_of_people_becomes_a_table_for_the_mailer(desk: Desk) -> None:
    table = "\ufeffaddress,country\r\nann@example.org,de\r\nx@example.org,\r\n\r\n".encode()
    result = desk.ask(table)
    assert result.exit_code == 0, result.output
    assert "2 recipients, 1 allowed, 1 denied" in result.output
    out = desk.folder / "answer.csv"
    assert out.stat().st_mode & 0o777 == 0o600
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["address"] == "ann@example.org"
    assert row["Feedback-ID"].startswith("spring:")


def test_a_bad_row_is_told_and_the_same_key_goes_on(desk: Desk) -> None:
    table = b"address,country\nann@example.org,DE\nbea@example.org,Germany\nx@example.org\n,DE\nbea@example.org,\n"
    first = desk.ask(table, "--key", "k", "--json", out="a.ndjson")
    assert first.exit_code == 1
    told = [json.loads(line) for line in (desk.folder / "a.ndjson").read_text().splitlines()]
    assert [one["line"] for one in told if "error" in one] == [3, 4, 5]
    assert [one["address"] for one in told if one.get("verdict") == "allow"] == [
        "ann@example.org",
        "bea@example.org",
    ]
    assert json.loads(first.output)["errors"] == told[-1]["errors"] == 3
    desk.shop.withdraw("ann@example.org")
    desk.ask(table, "--key", "k", out="b.ndjson")
    assert (desk.folder / "b.ndjson").read_bytes() == (desk.folder / "a.ndjson").read_bytes()
    other = desk.ask(table + b"y@example.org,\n", "--key", "k", out="c.ndjson")
    assert isinstance(other.exception, InputError)
    assert not (desk.folder / "c.ndjson").exists()


@pytest.mark.parametrize(
    "table",
    [b"", b"ann@example.org\n", b"address,mood\n", b"address,address\n", b"address\n\xff\n", b'address\n"a\n'],
)  # fmt: skip
def test_what_is_no_table_of_people_is_refused(desk: Desk, table: bytes) -> None:
    assert isinstance(desk.ask(table).exception, InputError)
    assert not (desk.folder / "answer.csv").exists()
