"""`consentledger permits ask`: may this message go to each of the people in a file?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from consentledger.accounts.idempotency import Repeatable, check_key
from consentledger.cli.context import opened_installation
from consentledger.cli.log.walking import Walking, walking
from consentledger.cli.output import as_json, json_option
from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name
from consentledger.permits.bulk import runs
from consentledger.permits.bulk.answers import COUNTS, Answer, CsvAnswer, NdjsonAnswer
from consentledger.permits.bulk.running import Bulk
from consentledger.permits.bulk.table import Table
from consentledger.permits.reading import read_head
from consentledger.permits.rules import IssuePermits
from consentledger.web.body import json_object

TARGET = "permits ask"
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def permits() -> None:
    """Permits: may a message go to these people?"""


@permits.command("ask")
@click.argument("organisation")
@click.argument("recipients", type=_file)
@click.option("--message", required=True, type=_file, help="The message as JSON (docs/permits.md).")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The answer: NAME.csv for a mailer, any other name for NDJSON that tells everything.",
)
@click.option("--key", help="The same key goes on where an earlier run stopped, for 24 hours.")
@json_option
def ask_command(
    organisation: str, recipients: Path, message: Path, out: Path, key: str | None, json: bool
) -> None:
    """Ask whether a message may go to each of the RECIPIENTS, a CSV with the column address.

    It may have country, person and capacity too (docs/permits.md). Batches of 5,000 commit one by one. Exit code 1
    when a row could not be read.
    """
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation)
        told = json_object(message.read_bytes())
        head = read_head(told, owner.organisation_id, "operator", now())
        form = CsvAnswer if out.suffix.lower() == ".csv" else NdjsonAnswer
        answer = form(installation.tokens, installation.settings.base_url)
        asked = _repeatable(head, key, message, recipients) if key else None
        with recipients.open(encoding="utf-8-sig", newline="") as file, _private(out) as written:
            with walking(organisation) as bar:
                _run(installation, head, Table(file), asked, answer, _shown(written, answer, bar))
            written.write(answer.end())
    counts = {name: answer.counts[name] for name in COUNTS}
    if json:
        as_json(**counts, out=str(out))
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()) + f": {out}")
    if counts["errors"]:
        raise SystemExit(1)


def _run(
    installation: Installation,
    head: IssuePermits,
    table: Table,
    asked: Repeatable | None,
    answer: Answer,
    write: Callable[[bytes], None],
) -> None:
    run = None
    if asked is not None:
        with installation.database.begin() as tx:
            run = runs.begin(tx, asked)
        if run.again:
            installation.watch.look(installation.database, head.organisation_id)
    write(answer.begin())
    with closing(Bulk(installation.database, head, table, run).answers()) as pieces:
        for answered in pieces:
            write(answer.piece(answered.piece, answered.issued))


def _shown(file: BinaryIO, answer: Answer, bar: Walking) -> Callable[[bytes], None]:
    def write(content: bytes) -> None:
        file.write(content)
        done = answer.counts["recipients"]
        bar.show("permits", done, done)

    return write


def _repeatable(head: IssuePermits, key: str, *files: Path) -> Repeatable:
    digests = b""
    for path in files:
        with path.open("rb") as file:
            digests += hashlib.file_digest(file, "sha256").digest()
    return Repeatable(head.organisation_id, check_key(key), TARGET, digests)


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that only its owner may read, and that is there when it is whole: it holds links that act."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        yield file
    part.replace(path)
