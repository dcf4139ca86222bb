"""`rules adopt` and `rules diff`: what an organisation decides by, and what a newer version would change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.cli.rules.files import checked
from consentledger.cli.rules.printing import console, show_changes
from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.kernel.settings import Settings
from consentledger.law.pack import Pack
from consentledger.law.reading import choosing
from consentledger.law.reading.packs import pack as brought
from consentledger.law.rulebook import STRICTER
from consentledger.organisations.pack_updates import Update, difference, updates
from consentledger.organisations.packs import (
    AdoptedFacts,
    Adoption,
    AdoptPacks,
    PacksAdopted,
    adopt_packs,
)
from consentledger.organisations.queries import organisation_by_name


@click.command("adopt", epilog=f"What WORD may be: {', '.join(STRICTER)}.")
@click.argument("organisation")
@click.argument("packs", nargs=-1, metavar="[PACK]...")
@click.option("--all", "every", is_flag=True, help="Every pack that this installation brings.")
@click.option(
    "--stricter",
    multiple=True,
    metavar="[PACK:]WORD",
    help="Make the packs named here, or one of them, stricter; may be repeated.",
)
@click.option(
    "--accept",
    multiple=True,
    metavar="[PACK:]TRIGGER",
    help="Take on a risk that a pack leaves to you; may be repeated.",
)
@json_option
def adopt_command(
    organisation: str,
    packs: tuple[str, ...],
    every: bool,
    stricter: tuple[str, ...],
    accept: tuple[str, ...],
    json: bool,
) -> None:
    """Let ORGANISATION decide by these packs from now on: DE@1, or DE for the version in force.

    What a pack inherits from is adopted with it. The same adoption again changes nothing.
    """
    named = [*packs, *(choosing.ids() if every else ())]
    adoptions = _adoptions(dict.fromkeys(named), stricter, accept)
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        done = adopt_packs(tx, AdoptPacks(owner.organisation_id, adoptions, "operator"))
    if json:
        as_json(adopted=_names(done.adopted), unchanged=_names(done.unchanged))
        return
    _tell(done)


@click.command("diff")
@click.argument("names", nargs=-1, required=True, metavar="ORGANISATION | BEFORE AFTER")
@json_option
def diff_command(names: tuple[str, ...], json: bool) -> None:
    """Say what newer packs would change for an organisation, or what AFTER says otherwise than BEFORE.

    BEFORE and AFTER are packs (DE@1) or files (DE-2.toml).
    """
    if len(names) > 2:
        raise click.UsageError("Name one organisation, or two packs.")
    found = _waiting(names[0]) if len(names) == 1 else [difference(*map(_pack, names))]
    if json:
        as_json(updates=[_as_dict(one) for one in found])
        return
    out = console()
    for one in found:
        show_changes(out, one.before, one.after, one.changes)
    if not found:
        out.print(f"Nothing newer than what {names[0]} adopted.")


def _adoptions(
    named: Iterable[str], stricter: Sequence[str], accept: Sequence[str]
) -> tuple[Adoption, ...]:
    packs = tuple(named)
    for option, words in (("stricter", stricter), ("accept", accept)):
        for word in words:
            only = word.rpartition(":")[0]
            if only and only not in packs:
                why = f"{option}: {only} is none of the packs named here"
                raise InputError(why, field=option, reason="unknown")
    return tuple(Adoption(name, _words(stricter, name), _words(accept, name)) for name in packs)


def _words(words: Iterable[str], name: str) -> tuple[str, ...]:
    pairs = (word.rpartition(":") for word in words)
    return tuple(word for only, _, word in pairs if only in ("", name))


def _tell(done: PacksAdopted) -> None:
    for one in done.adopted:
        parts = [f"{one.name} is adopted (entry {one.entry_index})"]
        if one.stricter:
            parts.append(f"stricter: {', '.join(one.stricter)}")
        if one.accepts:
            parts.append(f"with the risk of {', '.join(one.accepts)}")
        click.echo(f"{'; '.join(parts)}.")
        if brought(one.name).status == "draft":
            click.echo("    It is a draft: until it is checked in full, its exception is off.")
    for one in done.unchanged:
        click.echo(f"{one.name} was adopted so already.")


def _names(facts: Iterable[AdoptedFacts]) -> list[str]:
    return [one.name for one in facts]


def _waiting(organisation: str) -> list[Update]:
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = organisation_by_name(session, organisation)
        return updates(session, owner.organisation_id, now().date())


def _pack(name: str) -> Pack:
    if name.endswith(".toml"):
        return checked(Path(name)).pack
    return choosing.named(name, now().date())


def _as_dict(update: Update) -> dict[str, object]:
    return {
        "before": update.before.name,
        "after": update.after.name,
        "changes": [change._asdict() for change in update.changes],
    }
