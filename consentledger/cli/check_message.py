"""`consentledger check-message`: hold a finished message against its permit, before it goes out."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from consentledger.cli.context import opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.clock import now
from consentledger.kernel.errors import UnusableError
from consentledger.kernel.settings import Settings
from consentledger.messages.model import Checked
from consentledger.messages.queries import Held
from consentledger.messages.reading import MAX_BYTES
from consentledger.messages.service import CheckMessage
from consentledger.messages.service import check_message as check
from consentledger.organisations.queries import organisation_by_name
from consentledger.permits.rules import MEANING

FAILED = 1
_STYLES = {"pass": "green", "fail": "bold red", "warn": "yellow", "skip": "dim"}


@click.command("check-message")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--organisation", required=True, metavar="NAME", help="Whose message it is.")
@click.option("--recipient", help="The address it goes to, where To does not name exactly one.")
@json_option
def check_message(file: Path, organisation: str, recipient: str | None, json: bool) -> int:
    """Check FILE.eml: identity, way out, label, languages, signature, and that its permit is for this recipient.

    Exit code 0: nothing failed. 1: something must be mended. Nothing is sent, and nothing is recorded.
    """
    command = CheckMessage(_content(file), recipient)
    with opened_installation(Settings.load()) as opened, opened.database.read() as session:
        owner = organisation_by_name(session, organisation)
        base_url = opened.settings.base_url
        held = Held(owner.organisation_id, opened.database.log.keystore, opened.tokens, base_url)
        checked = check(session, held, command, now())
    if json:
        as_json(**checked.as_json())
    else:
        _print(checked)
    return 0 if checked.ready else FAILED


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{file} can't be read: {error.strerror}") from error


def _print(checked: Checked) -> None:
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    order = ("fail", "warn", "skip", "pass")
    for one in sorted(checked.findings, key=lambda found: order.index(found.outcome)):
        said = Text(f"{one.what}\n")
        said.append(f"{one.where} · {one.rule}", style="dim")
        if one.mend:
            said.append(f"\nTo mend: {one.mend}")
        table.add_row(Text(one.outcome, style=_STYLES[one.outcome]), said)
    console.print(table)
    wrong = sum(one.outcome == "fail" for one in checked.findings)
    console.print(
        "Nothing failed."
        if checked.ready
        else f"{wrong} of {len(checked.findings)} must be mended."
    )
    console.print(MEANING, style="dim")
