"""`consentledger outbox …`: work that waits, and work that was set aside for people to look at."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

import click

from consentledger.cli.context import opened_database, opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name, organisations
from consentledger.outbox import queries
from consentledger.outbox.service import BURIED, revive


@click.group()
def outbox() -> None:
    """Work for the worker: what waits, and what is buried."""


@outbox.command("list")
@json_option
def list_command(json: bool) -> None:
    """Show how much work waits, and each piece that nobody tries any more; never what it says."""
    with opened_database(Settings.load()) as database, database.read() as session:
        counted = queries.counts(session)
        buried = queries.buried(session)
        names = {each.organisation_id: each.name for each in organisations(session)}
    if json:
        as_json(
            counts=[{**asdict(row), "oldest_at": to_text(row.oldest_at)} for row in counted],
            buried=[_as_json(row, names) for row in buried],
        )
        return
    for row in counted:
        since = row.oldest_at.isoformat(" ", "seconds")
        later = f", {row.later} of them due later" if row.later else ""
        click.echo(f"{row.rows:>8}  {row.state:<7} {row.kind}, since {since}{later}")
    if not counted:
        click.echo("There is nothing to do.")
    for each in buried:
        click.echo(
            f"{names.get(each.organisation_id, '?')}: {each.kind} {each.outbox_id}, "
            f"{each.attempts} tries, {each.last_error or 'no reason kept'}"
        )


@outbox.command("revive")
@click.option("--organisation", required=True, metavar="NAME", help="Whose work it is.")
@click.argument("outbox_ids", metavar="ID...", nargs=-1, required=True, type=click.UUID)
def revive_command(organisation: str, outbox_ids: tuple[UUID, ...]) -> None:
    """Make buried work due again, with all its tries, once its cause is mended."""
    with opened_installation(Settings.load()) as installation, installation.database.begin() as tx:
        owner = organisation_by_name(tx.session, organisation)
        for outbox_id in sorted(outbox_ids):
            revive(tx, owner.organisation_id, outbox_id)
    click.echo(f"{len(outbox_ids)} piece(s) of work are due again.")


def _as_json(row: queries.Buried, names: dict[UUID, str]) -> dict[str, object]:
    return {
        "organisation": names.get(row.organisation_id),
        "id": str(row.outbox_id),
        "kind": row.kind,
        "state": BURIED,
        "attempts": row.attempts,
        "reason": row.last_error,
        "made_at": to_text(row.made_at),
        "buried_at": to_text(row.buried_at),
    }
