"""`rules list`: every pack, and what an organisation adopted of each."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_database
from consentledger.cli.output import as_json, json_option
from consentledger.cli.rules.printing import console, pack_table
from consentledger.kernel.clock import now
from consentledger.kernel.settings import Settings
from consentledger.law.pack import Pack
from consentledger.law.reading import choosing
from consentledger.organisations.pack_updates import PackState, pack_states
from consentledger.organisations.queries import organisation_by_name


@click.command("list")
@click.option("--organisation", metavar="NAME", help="Show what this organisation adopted, too.")
@json_option
def list_command(organisation: str | None, json: bool) -> None:
    """List the rule packs that this installation brings."""
    states = _states(organisation)
    if json:
        as_json(packs=[_as_dict(state, known=organisation is not None) for state in states])
        return
    out = console()
    adopted = organisation is not None
    out.print(pack_table((_row(state, adopted) for state in states), adopted=adopted))
    waiting = [state.newest.name for state in states if state.update]
    if waiting:
        out.print(f"\nNewer: {', '.join(waiting)}. See: consentledger rules diff {organisation}")


def _states(organisation: str | None) -> list[PackState]:
    today = now().date()
    if organisation is None:
        return [
            PackState(choosing.in_force(one, today), choosing.versions(one)[-1], ())
            for one in choosing.ids()
        ]
    with opened_database(Settings.load()) as database, database.read() as session:
        owner = organisation_by_name(session, organisation)
        return pack_states(session, owner.organisation_id, today)


def _row(state: PackState, adopted: bool) -> tuple[str, ...]:
    pack = state.in_force
    row = (pack.name, _title(pack), pack.status, pack.confidence, pack.reviewed_on.isoformat())
    if not adopted:
        return row
    words = [one.name + (" stricter" if one.stricter else "") for one in state.adopted]
    return (*row, ", ".join(words) or "no")


def _title(pack: Pack) -> str:
    return pack.title.partition(" (")[0]


def _as_dict(state: PackState, *, known: bool) -> dict[str, object]:
    pack = state.in_force
    found: dict[str, object] = {
        "name": pack.name,
        "newest": state.newest.name,
        "title": pack.title,
        "status": pack.status,
        "confidence": pack.confidence,
        "reviewed_on": pack.reviewed_on.isoformat(),
        "countries": list(pack.countries),
        "hash": pack.hash,
    }
    if known:
        found["adopted"] = [
            {"name": one.name, "stricter": list(one.stricter), "accepts": list(one.accepts)}
            for one in state.adopted
        ]
        found["update"] = state.update
    return found
