"""`consentledger erase`: forgets one person, and says what goes."""

from __future__ import annotations

from uuid import UUID

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.output import as_json, json_option
from consentledger.db.installation import Installation
from consentledger.erasure import requesting, rules, service
from consentledger.erasure.commands import EraseContact, Preview, Receipt
from consentledger.erasure.receipts import remains
from consentledger.kernel.clock import to_text
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name
from consentledger.outbox import service as outbox

LEASE_SECONDS = 60
ROUNDS = 100


@click.command()
@click.argument("address")
@click.option("--organisation", required=True, metavar="NAME", help="Who shall forget.")
@click.option(
    "--ground",
    type=click.Choice(list(rules.GROUNDS)),
    default="withdrawn",
    show_default=True,
    help="Why, by GDPR art. 17(1).",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go; change nothing.")
@click.option("--now", is_flag=True, help="Log and destroy at once, without the worker.")
@json_option
def erase(
    address: str, organisation: str, ground: str, dry_run: bool, now: bool, json: bool
) -> None:
    """Forget ADDRESS: no permit from now on, then log.erasure, then destruction, and a receipt."""
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            owner = organisation_by_name(session, organisation).organisation_id
        if dry_run:
            _show_preview(_preview(installation, owner, address), json)
            return
        command = EraseContact(owner, address, "operator", ground, now)
        with installation.database.begin() as tx:
            done = service.request_erasure(tx, command)
        if now:
            done = _at_once(installation, owner, done.erasure_id)
    _show(done, json)


def _preview(installation: Installation, owner: UUID, address: str) -> Preview:
    with installation.database.read() as session:
        return requesting.preview(session, installation.keystore, owner, address)


def _at_once(installation: Installation, owner: UUID, erasure_id: UUID) -> Receipt:
    """Does what the worker would do; beside a running worker, whoever is first does it."""
    database, settings = installation.database, installation.settings
    for _ in range(ROUNDS):
        service.collect_requested(database, owner, settings.escrow_key, installation.journal)
        jobs = outbox.lease(database, "erase", [service.DESTROY], limit=9, seconds=LEASE_SECONDS)
        for job in jobs:
            with database.begin() as tx:
                service.destroy(tx, job.organisation_id, outbox.open_job(tx, job))
                outbox.complete(tx, job)
        with database.read() as session:
            found = requesting.receipt(session, owner, erasure_id)
        if not jobs or found.state not in ("requested", "logged"):
            break
    return found


def _show_preview(seen: Preview, json: bool) -> None:
    if json:
        as_json(
            dry_run=True,
            rows=dict(seen.rows),
            openings=dict(seen.openings),
            keep_for_claims_days=seen.keep_for_claims_days,
            held=seen.held,
        )
        return
    for name, count in (
        *seen.rows.items(),
        *((f"opening {n}", c) for n, c in seen.openings.items()),
    ):
        click.echo(f"{count:6d}  {name}")
    if not seen.rows:
        click.echo("Nothing is recorded about this address; a keyed hash would deny every message.")
    if seen.held:
        click.echo("A legal hold covers it: it would wait.")
    elif seen.keep_for_claims_days:
        click.echo(
            f"Evidence would be kept for claims, sealed, for {seen.keep_for_claims_days} days."
        )
    click.echo("Nothing was changed.")


def _show(done: Receipt, json: bool) -> None:
    if json:
        as_json(
            erasure_id=str(done.erasure_id),
            state=done.state,
            ground=done.ground,
            requested_at=to_text(done.requested_at),
            due_at=to_text(done.due_at),
            entry_index=done.entry_index,
            leaf_hash=done.leaf_hash.hex() if done.leaf_hash else None,
            destroyed_at=to_text(done.destroyed_at) if done.destroyed_at else None,
            restricted_until=to_text(done.kept_until) if done.kept_until else None,
            gone=done.gone,
            remains=remains(done),
        )
        return
    click.echo(f"Erasure {done.erasure_id} is {done.state}.")
    if done.state == "requested":
        click.echo(f"The worker logs it at {done.due_at:%H:%M} UTC or a minute later.")
    if done.entry_index is not None and done.leaf_hash is not None:
        click.echo(
            f"The log says so in entry {done.entry_index}, leaf hash {done.leaf_hash.hex()}."
        )
    for name, count in (done.gone or {}).items():
        click.echo(f"{count:6d}  {name}")
    click.echo("What remains:")
    for sentence in remains(done):
        click.echo(f"- {sentence}")
