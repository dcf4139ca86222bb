"""`consentledger log rebuild-state`: makes the state's tables anew from the logs."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_installation
from consentledger.cli.log.fsck import BROKEN, NO_SUCH_LOG
from consentledger.cli.log.walking import walking
from consentledger.cli.output import as_json, json_option
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.settings import Settings
from consentledger.replay.rebuild import Rebuilt
from consentledger.replay.service import logs_of, rebuild

SHOWN = 20


@click.command("rebuild-state")
@click.option("--organisation", metavar="NAME", help="Only this organisation's state.")
@click.option("--dry-run", is_flag=True, help="Say what differs, and write nothing.")
@json_option
def rebuild_state(organisation: str | None, dry_run: bool, json: bool) -> int:
    """Make the state's rows anew from the log: write those that differ, delete those that no entry gives.

    The service may go on meanwhile; run it again if it was broken off. Run `log fsck` first: a log that was
    changed by hand gives another state. Exit code 0 when nothing is left to mend (with --dry-run: when nothing
    differs), 65 when something is, 66 when there is no such organisation.
    """
    results = []
    try:
        with (
            opened_installation(Settings.load()) as installation,
            walking("log rebuild-state") as shown,
        ):
            for organisation_id, origin in logs_of(installation, organisation):

                def show(done: int, total: int, origin: str = origin) -> None:
                    shown.show(origin, done, total)

                results.append(rebuild(installation, organisation_id, show, dry_run=dry_run))
    except NotFoundError as error:
        click.echo(f"consentledger: {error}", err=True)
        return NO_SUCH_LOG
    if json:
        as_json(dry_run=dry_run, logs=[result.as_json() for result in results])
    else:
        for result in results:
            _tell(result, dry_run=dry_run)
        if not results:
            click.echo("There is no log yet.")
    unmended = any(result.differed if dry_run else result.left for result in results)
    return BROKEN if unmended else 0


def _tell(result: Rebuilt, *, dry_run: bool) -> None:
    verb = "would be written" if dry_run else "written"
    click.echo(
        f"{result.origin}: {result.entries} entries of {result.contacts} contacts replayed,"
        f" {result.rows + result.owners} row(s) {verb}, {len(result.left)} left as they are."
    )
    found = result.differed if dry_run else result.left
    for finding in found[:SHOWN]:
        click.echo(f"  {finding.where}: {finding.message}")
    if len(found) > SHOWN:
        click.echo(f"  and {len(found) - SHOWN} more (--json names them all)")
