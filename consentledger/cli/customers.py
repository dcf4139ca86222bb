"""`consentledger customers …`: evidence for the existing-customer exception, from a file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.log.walking import Walking, walking
from consentledger.cli.output import as_json, json_option
from consentledger.customers import csv_rows, rules
from consentledger.customers.commands import LapseCustomers, RecordCustomers, RowOutcome, RowsDone
from consentledger.customers.csv_rows import FileRow
from consentledger.customers.service import lapse_customers, record_customers
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name

AT_ONCE = 1_000
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Writer(Protocol):
    """What csv.writer gives."""

    def writerow(self, row: list[Any]) -> object:
        """Writes one row."""


@dataclass(slots=True)
class Import:
    """One import: what became of the rows so far."""

    database: Database
    organisation_id: UUID
    legal_name: str
    source: str
    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)

    def batch(self, rows: list[FileRow], report: Writer | None) -> None:
        """Records a batch in a transaction of its own, and writes its refused rows to the report."""
        outcomes = self._tried(rows) if self.dry_run else self._recorded(rows)
        for row, done in zip(rows, outcomes, strict=True):
            self.counts["good" if self.dry_run and not done.refusals else done.outcome] += 1
            self.counts.update(f"warning: {word}" for word in done.warnings)
            for refusal in done.refusals if report is not None else ():
                line = [row.number, row.line, refusal.field, refusal.reason, _cell(refusal.message)]
                report.writerow(line)  # type: ignore[union-attr]

    def _tried(self, rows: list[FileRow]) -> list[RowOutcome]:
        read = [rules.read_row(row.values, legal_name=self.legal_name, now=now()) for row in rows]
        return [
            RowOutcome(row.number, "refused", refusals=tuple(one))
            if isinstance(one, list)
            else RowOutcome(row.number, "recorded")
            for row, one in zip(rows, read, strict=True)
        ]

    def _recorded(self, rows: list[FileRow]) -> tuple[RowOutcome, ...]:
        command = RecordCustomers(
            self.organisation_id,
            tuple(row.values for row in rows),
            "operator",
            "import",
            source=self.source,
            first=rows[0].number,
            partial=True,
        )
        with self.database.begin() as tx:
            return record_customers(tx, command).rows


@click.group()
def customers() -> None:
    """Existing customers: evidence for the exception of art. 13(2), never consent."""


@customers.command("import")
@click.argument("organisation")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the refused rows there: row, line, column, reason.",
)
@click.option("--dry-run", is_flag=True, help="Only read the rows and say what is amiss.")
@json_option
def import_command(
    organisation: str, file: Path, report: Path | None, dry_run: bool, json: bool
) -> None:
    """Record the customers of a CSV FILE (docs/customers.md), in batches of 1,000; may be repeated.

    Good rows are recorded, bad ones are refused and named in the report; exit code 1 when there were any.
    """
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation)
        run = Import(
            installation.database, owner.organisation_id, owner.legal_name, file.name[:200], dry_run
        )
        with _report(report) as writer, walking(organisation) as bar:
            _run(run, file, writer, bar)
    _show(run.counts, report, dry_run=dry_run, json=json)
    if run.counts["refused"]:
        raise SystemExit(1)


@customers.command("lapse")
@click.argument("organisation")
@click.argument("address")
@click.argument("reference")
@click.option(
    "--ended-on", metavar="DATE", help="An ongoing relationship ended; without it: taken back."
)
@json_option
def lapse_command(
    organisation: str, address: str, reference: str, ended_on: str | None, json: bool
) -> None:
    """Take back the record REFERENCE of ADDRESS, or say when its relationship ended."""
    reason = "ended" if ended_on else "taken_back"
    row = {"address": address, "reference": reference, "reason": reason, "ended_on": ended_on}
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        done = lapse_customers(tx, LapseCustomers(owner.organisation_id, (row,), "operator"))
    _tell(done, json)


def _run(run: Import, file: Path, writer: Writer | None, bar: Walking) -> None:
    size, read, rows = csv_rows.check_file(file), 0, csv_rows.read_file(file)
    while batch := list(islice(rows, AT_ONCE)):
        run.batch(batch, writer)
        read += len(batch)
        bar.show("rows", read, max(read, _guess(size)))


def _guess(size: int) -> int:
    return size // 150  # an ordinary row has about so many bytes: the bar only needs an idea


@contextmanager
def _report(path: Path | None) -> Iterator[Writer | None]:
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "line", "column", "reason", "detail"])
        yield writer


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _show(counts: Counter[str], report: Path | None, *, dry_run: bool, json: bool) -> None:
    if json:
        as_json(dry_run=dry_run, rows=dict(sorted(counts.items())))
        return
    for name, count in sorted(counts.items()):
        click.echo(f"{count:8,d}  {name.replace('_', ' ')}")
    if not counts:
        click.echo("The file has no rows.")
    if counts["refused"]:
        click.echo(
            f"The refused rows stand in {report}."
            if report
            else "With --report FILE the refused rows are named."
        )
    if dry_run:
        click.echo("Nothing was recorded.")


def _tell(done: RowsDone, json: bool) -> None:
    [row] = done.rows
    if json:
        as_json(customer=str(row.customer_id), outcome=row.outcome, entry_index=row.entry_index)
    elif row.outcome == "repeated":
        click.echo("This record was taken back before.")
    else:
        click.echo(f"Entry {row.entry_index} says so.")
