"""`consentledger rules …`: what the packs say, whether a file is right, which an organisation follows."""

from __future__ import annotations

from pathlib import Path

import click

from consentledger.cli.output import as_json, json_option
from consentledger.cli.rules.adopting import adopt_command, diff_command
from consentledger.cli.rules.files import checked, follows
from consentledger.cli.rules.listing import list_command
from consentledger.cli.rules.printing import console, show_pack
from consentledger.kernel.clock import now
from consentledger.law.countries import normalise
from consentledger.law.pack import Pack
from consentledger.law.reading.choosing import ids, named, of_country
from consentledger.law.reading.comparing import as_json as pack_as_json
from consentledger.law.reading.packs import is_published


@click.group()
def rules() -> None:
    """Rule packs: one jurisdiction's rules as data; read them, check a file, adopt them, compare."""


rules.add_command(list_command)
rules.add_command(adopt_command)
rules.add_command(diff_command)


@rules.command("show")
@json_option
@click.argument("country")
def show_command(country: str, json: bool) -> None:
    """Say in plain words what protects a recipient in COUNTRY (DE, ca-qc, EU), or what a pack says (DE@1)."""
    pack = _pack_for(country)
    if json:
        as_json(name=pack.name, published=is_published(pack), pack=pack_as_json(pack))
        return
    show_pack(console(), pack)


@rules.command("check")
@json_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def check_command(file: Path, json: bool) -> None:
    """Check a rule pack's FILE: what is wrong is named with its key and a reason, what is doubtful with it.

    What it inherits from is looked for beside it, then among the packs that this installation brings.
    """
    found = checked(file)
    pack, before = found.pack, follows(found.pack)
    if json:
        as_json(name=pack.name, hash=pack.hash, warnings=list(found.warnings))
        return
    out = console()
    out.print(f"{file.name} is right: {pack.name}, {pack.title}, SHA-256 {pack.hash}")
    if before is not None:
        out.print(f"It takes the place of {before.name} from {pack.valid_from} on.")
    for warning in found.warnings:
        out.print(f"Look again: {warning}", markup=False)


def _pack_for(country: str) -> Pack:
    """Finds a pack by its name, by its id, or by a country's code."""
    today = now().date()
    if "@" in country or country.upper() in ids():
        pack_id, at, version = country.partition("@")
        return named(f"{pack_id.upper()}{at}{version}", today)
    return of_country(normalise(country) or "", today)
