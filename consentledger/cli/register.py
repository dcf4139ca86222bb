"""`consentledger register …`: external registers of those who must not be written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.settings import Settings
from consentledger.ledger.register import MATCHED
from consentledger.organisations.packs import rulebook
from consentledger.organisations.queries import organisation_by_name
from consentledger.registers import queries
from consentledger.registers.adapters import FORMATS, adapter_of
from consentledger.registers.answers import fresh_answer, import_answer, instant, pair
from consentledger.registers.freshness import freshness, sentence
from consentledger.registers.rules import ImportRegister
from consentledger.registers.service import import_register


@click.group()
def register() -> None:
    """Registers of others that must be looked into before sending: lists of who opted out."""


def _how(command: Callable[..., None]) -> Callable[..., None]:
    """How the file is read, where it is not as the register's own adapter has it."""
    for option in (
        click.option("--format", type=click.Choice(FORMATS), help="How it is written."),
        click.option("--column", help="The column or key that holds the entry."),
        click.option("--where", metavar="COLUMN=VALUE", help="Lines with another value are none."),
        click.option("--matched", type=click.Choice(MATCHED), help="In the clear, or digests."),
        click.option("--prefix", metavar="+NN", help="Calling code of numbers without one."),
    ):
        command = option(command)
    return command


@register.command("import")
@click.option("--as-of", required=True, metavar="TIME", help="When it was true, with its zone.")
@click.option("--source", help="Where it came from. Default: the file's name.")
@click.option("--force", is_flag=True, help="Take it although it is empty or much smaller.")
@_how
@json_option
@click.argument("organisation")
@click.argument("code")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def import_command(
    organisation: str,
    code: str,
    file: str,
    as_of: str,
    source: str | None,
    force: bool,
    json: bool,
    **how: str | None,
) -> None:
    """Import the register CODE (AT-ECG) of ORGANISATION from FILE, all of it or nothing; - reads stdin."""
    adapter = adapter_of(code, only=pair(how.pop("where")), **how)
    at = instant(as_of)
    told = source or ("standard input" if file == "-" else Path(file).name)
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation).organisation_id
        command = ImportRegister(owner, code, at, told, adapter, force)
        with click.open_file(file, "rb") as content:
            done = import_register(installation.database, command, content)
    if json:
        as_json(**import_answer(done))
        return
    if done.repeated:
        click.echo(f"{code} is as it was: this very file is entry {done.entry_index} already.")
        return
    click.echo(
        f"{code} has {done.count} entries as of {to_text(done.as_of)}: {done.added} came, {done.removed} went"
        f" (entry {done.entry_index}, root {done.root.hex()})."
    )


@register.command("list")
@json_option
@click.argument("organisation")
def list_command(organisation: str, json: bool) -> None:
    """List what the packs of ORGANISATION demand, what is imported, and until when it is fresh enough."""
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = organisation_by_name(session, organisation).organisation_id
        packs = [one.pack for one in rulebook(session, owner).adopted]
        found = freshness(packs, queries.imports(session, database.log.keystore, owner), now())
    if json:
        as_json(registers=[fresh_answer(one) for one in found])
        return
    for one in found:
        click.echo(sentence(one))
    if not found:
        click.echo(f"No pack that {organisation} adopted demands a register, and none is imported.")
