"""`consentledger restriction …`: evidence kept for legal claims only, under a key that is not here."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.drafts import draft_of
from consentledger.cli.output import as_json, json_option
from consentledger.erasure import escrow
from consentledger.erasure.restricting import open_restriction, restrictions
from consentledger.evidence.service import ExportEvidence, export
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name

organisation_option = click.option(
    "--organisation", required=True, metavar="NAME", help="Whose log it is."
)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def restriction() -> None:
    """Evidence of erased people, kept for legal claims until a date, sealed to an escrow key."""


@restriction.command("keygen")
@click.argument("file", type=_FILE)
def keygen_command(file: Path) -> None:
    """Make an escrow key: the private half goes into FILE, the public one is printed for ESCROW_KEY."""
    private = escrow.new_private()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"Cannot make {file}: {error.strerror}.") from error
    with os.fdopen(descriptor, "w") as opened:
        opened.write(escrow.write_key(private) + "\n")
    click.echo(f"CONSENTLEDGER_ESCROW_KEY={escrow.write_key(escrow.public_of(private))}")
    click.echo(f"Take {file} away from this machine: only the named person may have it.", err=True)


@restriction.command("list")
@organisation_option
@json_option
def list_command(organisation: str, json: bool) -> None:
    """List what is kept, by its end; it tells no address."""
    with opened_database(Settings.load()) as database, database.read() as session:
        found = restrictions(session, organisation_by_name(session, organisation).organisation_id)
    if json:
        rows = [
            {
                "erasure_id": str(each.erasure_id),
                "made_at": to_text(each.made_at),
                "until_at": to_text(each.until_at),
            }
            for each in found
        ]
        as_json(restrictions=rows)
        return
    for each in found:
        click.echo(
            f"{each.erasure_id}  since {each.made_at:%Y-%m-%d}  until {each.until_at:%Y-%m-%d}"
        )
    if not found:
        click.echo(f"{organisation} keeps nothing for claims.")


@restriction.command("open")
@organisation_option
@click.argument("erasure_id", type=click.UUID)
@click.option("--key", required=True, type=_FILE, help="The file with the escrow's private key.")
@click.option("--person", required=True, help="Who opens it; it is logged.")
@click.option("--reason", required=True, help="Why; it is logged.")
@click.option(
    "-o", "--output", required=True, type=_FILE, help="The bundle to write; readable by you only."
)
def open_command(
    organisation: str, erasure_id: UUID, key: Path, person: str, reason: str, output: Path
) -> None:
    """Open what is kept under ERASURE_ID: logged first, then written as a bundle for an auditor."""
    private = _read_private(key)
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation).organisation_id
        with installation.database.begin() as tx:
            address, kept = open_restriction(
                tx, owner, erasure_id, private=private, person=person, reason=reason
            )
        with draft_of(output) as file:
            done = export(installation, ExportEvidence(owner, address, kept=kept), file)
    click.echo(f"{output}: {done.entries} entries, {done.permits} permits, opened for {person}.")


def _read_private(key: Path) -> bytes:
    try:
        return escrow.read_key(key.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Cannot read {key}.") from error
