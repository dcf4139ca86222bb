"""`consentledger customers …` on both engines: a file in, evidence out, and a report of what was refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from consentledger.cli import cli
from consentledger.customers.models import CustomerRecord
from consentledger.db.installation import Installation
from tests.factories import create_organisation
from tests.support.customers import WORDING

HEADER = (
    "address", "reference", "trigger", "on", "categories", "obtained_from", "offered_at_collection",
    "opt_out_wording", "country", "person",
)  # fmt: skip


@pytest.fixture
def run(installation: Installation, environment: dict[str, str]) -> Any:
    """Runs a command against the installation, which has an organisation called alice."""
    create_organisation(installation.database, installation.settings, name="alice")

    def command(*words: str) -> Result:
        return CliRunner(env=environment).invoke(cli, ["customers", *words])

    return command


def row(number: int, **more: str) -> list[str]:
    """One row of a file."""
    values = {
        "address": f"p{number}@example.com",
        "reference": f"A-{number}",
        "trigger": "sale_paid",
        "on": "2026-01-05",
        "categories": "garden/tools|books",
        "obtained_from": "customer",
        "offered_at_collection": "yes",
        "opt_out_wording": f"{WORDING}\nReally.",
        "country": "at",
        "person": "natural",
        **more,
    }
    return [values[name] for name in HEADER]


def write(path: Path, *rows: list[str], encoding: str = "utf-8", delimiter: str = ",") -> str:
    """Writes a file."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return str(path)


def count(installation: Installation) -> int:
    """How many records there are."""
    with installation.database.read() as session:
        return session.scalar(select(func.count()).select_from(CustomerRecord)) or 0


def test_a_file_is_imported_in_batches_and_again(
    installation: Installation, run: Any, tmp_path: Path
) -> None:
    rows = [row(n) for n in range(1_203)]
    rows[1_100] = row(1_100, obtained_from="bought", on="2999-01-01")
    rows[7] = row(7, address="=nobody", reference="")
    file, report = write(tmp_path / "in.csv", *rows), tmp_path / "out.csv"
    tried = run("import", "alice", file, "--dry-run", "--json")
    assert json.loads(tried.stdout)["rows"] == {"good": 1_201, "refused": 2}
    assert count(installation) == 0
    done = run("import", "alice", file, "--report", str(report))
    assert done.exit_code == 1
    assert "1,201  recorded" in done.stdout
    assert count(installation) == 1_201
    with report.open(newline="") as told:
        refused = list(csv.DictReader(told))
    assert [(one["row"], one["line"], one["column"], one["reason"]) for one in refused] == [
        ("8", "16", "address", "no_at"),
        ("8", "16", "reference", "missing"),
        ("1101", "2202", "on", "future"),
        ("1101", "2202", "obtained_from", "not_from_customer"),
    ]
    again = run("import", "alice", file, "--json")
    assert json.loads(again.stdout)["rows"]["repeated"] == 1_201
    assert count(installation) == 1_201


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ";"), ("utf-8-sig", ","), ("utf-8", "\t")]
)
def test_what_spreadsheets_write(
    installation: Installation, run: Any, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    file = write(tmp_path / "in.csv", row(1), encoding=encoding, delimiter=delimiter)
    assert run("import", "alice", file).exit_code == 0
    assert count(installation) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"address,order,on\n", "missing: 'reference', 'trigger'"),
        (b"address,order,on\n", "not known: 'order'"),
        (b"", "missing: 'address'"),
        ("address;straße\n".encode("latin-1"), "not UTF-8 (near byte 12)"),
        (",".join(HEADER).encode() + b'\n"never closed\n', "is no CSV"),
    ],
)
def test_a_file_that_can_not_be_read_records_nothing(
    installation: Installation, run: Any, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    done = run("import", "alice", str(tmp_path / "in.csv"))
    assert done.exit_code != 0
    assert said in str(done.exception)
    assert count(installation) == 0


def test_a_record_is_taken_back(installation: Installation, run: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "in.csv", row(1), row(2, trigger="ongoing_relationship"))
    assert run("import", "alice", file).exit_code == 0
    assert "says so" in run("lapse", "alice", "P1@example.com", "A-1").stdout
    assert "before" in run("lapse", "alice", "p1@example.com", "A-1").stdout
    ended = run("lapse", "alice", "p2@example.com", "A-2", "--ended-on", "2026-02-03", "--json")
    assert json.loads(ended.stdout)["outcome"] == "lapsed"
    assert "no such record" in str(run("lapse", "alice", "p1@example.com", "A-9").exception)
