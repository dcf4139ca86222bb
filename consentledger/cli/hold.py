"""`consentledger hold …`: legal holds, which suspend every destruction that they cover."""

from __future__ import annotations

from uuid import UUID

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.erasure.commands import HoldFacts, PlaceHold, ReleaseHold
from consentledger.erasure.holds import holds
from consentledger.erasure.service import place_hold, release_hold
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name

organisation_option = click.option(
    "--organisation", required=True, metavar="NAME", help="Whose log it is."
)
person_option = click.option("--person", required=True, help="Who orders it; it is logged.")


@click.group()
def hold() -> None:
    """Legal holds: while one lasts, nothing that it covers is destroyed."""


@hold.command("place")
@organisation_option
@click.option("--address", help="Whose data; without it everybody's.")
@person_option
@click.option("--reason", required=True, help="Why, for example a case number; it is logged.")
@json_option
def place_command(
    organisation: str, address: str | None, person: str, reason: str, json: bool
) -> None:
    """Place a hold on one address, or on the whole organisation."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation).organisation_id
        placed = place_hold(tx, PlaceHold(owner, person, reason, "operator", address))
    _show(placed, json)


@hold.command("release")
@organisation_option
@click.argument("hold_id", type=click.UUID)
@person_option
@json_option
def release_command(organisation: str, hold_id: UUID, person: str, json: bool) -> None:
    """Release the hold HOLD_ID: what it suspended goes on."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation).organisation_id
        released = release_hold(tx, ReleaseHold(owner, hold_id, person, "operator"))
    _show(released, json)


@hold.command("list")
@organisation_option
@json_option
def list_command(organisation: str, json: bool) -> None:
    """List an organisation's holds, released ones too; whom they cover is not told."""
    with opened_database(Settings.load()) as database, database.read() as session:
        found = holds(session, organisation_by_name(session, organisation).organisation_id)
    if json:
        as_json(holds=[_as_dict(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo(f"{organisation} has no legal hold.")


def _show(each: HoldFacts, json: bool) -> None:
    if json:
        as_json(**_as_dict(each))
    else:
        click.echo(_line(each))


def _line(each: HoldFacts) -> str:
    covers = "everybody" if each.whole else "one contact"
    state = "in force"
    if each.released_at is not None:
        state = f"released {each.released_at:%Y-%m-%d} by {each.released_by}"
    return f"{each.hold_id}  {covers}  {state}  by {each.placed_by}: {each.reason}"


def _as_dict(each: HoldFacts) -> dict[str, object]:
    return {
        "hold_id": str(each.hold_id),
        "everybody": each.whole,
        "reason": each.reason,
        "placed_by": each.placed_by,
        "placed_at": to_text(each.placed_at),
        "released_by": each.released_by,
        "released_at": to_text(each.released_at) if each.released_at else None,
    }
