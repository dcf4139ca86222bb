"""`consentledger log export` and `log recover`: entries kept elsewhere, and a restored log brought back by them."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from consentledger.cli.context import opened_installation
from consentledger.cli.drafts import text_draft_of
from consentledger.db.installation import Installation
from consentledger.kernel.settings import Settings
from consentledger.recovery.archive import write_archive
from consentledger.recovery.service import Recover, missing_logs, recover
from consentledger.recovery.sources import check_paths
from consentledger.replay.service import logs_of

FROZEN = 65
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("export")
@click.option("--organisation", required=True, metavar="NAME", help="Whose log it is.")
@click.option("--from", "first", type=click.IntRange(min=0), default=0, help="The first entry.")
@click.argument("output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def export(organisation: str, first: int, output: Path) -> None:
    """Write a log's entries to FILE, sealed as they are: what `log recover` needs after a restore.

    No key is in it. Meant to run often, to another place than the database's backups.
    """
    with opened_installation(Settings.load()) as installation:
        [(organisation_id, _)] = logs_of(installation, organisation)
        # A restored database must not overwrite what it can be brought back by.
        installation.watch.look(installation.database, organisation_id)
        with installation.database.snapshot() as session, text_draft_of(output) as file:
            count, size = write_archive(session, organisation_id, first, file)
    click.echo(f"{output}: {count} of {size} entries, sealed; keep it apart from the keys.")


@click.command("recover")
@click.option("--organisation", metavar="NAME", help="Only this organisation's log.")
@click.option(
    "--entries", multiple=True, type=_FILE, help="An export or a bundle; may be repeated."
)
@click.option("--new-origin", is_flag=True, help="Go on under a new name, without what is missing.")
@click.option("--reason", default="entries were lost with a database", help="Why, for the log.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def recover_command(
    organisation: str | None,
    entries: tuple[Path, ...],
    new_origin: bool,
    reason: str,
    dry_run: bool,
) -> int:
    """Bring a frozen log back: put missing entries back, or go on under a new origin; then replay the journal.

    Exit code 0 when nothing is frozen any more, 65 when something still is: it says what to do. Safe to run again,
    also after it was cut off. docs/recovery.md explains each sentence.
    """
    if new_origin and organisation is None:
        raise click.UsageError(
            "--new-origin needs --organisation: it gives up a log's name for ever."
        )
    with opened_installation(Settings.load()) as installation:
        logs = logs_of(installation, organisation)
        check_paths(entries, [found for found, _ in logs_of(installation)])
        still = [
            _one(installation, Recover(one, entries, new_origin, reason, dry_run))
            for one, _ in logs
        ]
        missing = missing_logs(installation)
    for sentence in missing:
        click.echo(sentence)
    if not logs:
        click.echo("There is no log yet.")
    return FROZEN if any(still) or missing else 0


def _one(installation: Installation, command: Recover) -> bool:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        outcome = recover(installation, command, show)
    for sentence in outcome.said:
        click.echo(f"{outcome.origin}: {sentence}")
    return outcome.frozen
