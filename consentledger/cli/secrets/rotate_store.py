"""`consentledger secrets rotate MASTER_KEY` and `… rotate suppression`: keys that stand in the key store."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select

from consentledger.cli.context import opened_installation
from consentledger.cli.errors import exit_code, sentence
from consentledger.consents.rehashing import rotate_suppression
from consentledger.db.keystore.rotation import rewrap_keys
from consentledger.db.models import LogHead
from consentledger.kernel.errors import ConfigurationError, ConsentLedgerError
from consentledger.kernel.secrets import PREFIX
from consentledger.kernel.settings import Settings
from consentledger.organisations.queries import organisation_by_name


def rotate_master_key() -> int:
    """Wraps all stored keys and the journal anew under the newest master key; exit code 0, or 75 to run it again."""
    settings = Settings.load()
    if len(settings.secrets.master_keys) == 1:
        raise ConfigurationError(
            f"{PREFIX}MASTER_KEY lists one key only. Add one with `consentledger secrets add MASTER_KEY`, restart all "
            "processes, and run this again."
        )
    with opened_installation(settings) as installation:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("wrapping keys anew", total=None)

            def show(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            done = rewrap_keys(installation.database, show)
        installation.journal.rewrap()
    click.echo(f"{done.keys} keys: {done.changed} wrapped anew under the newest master key.")
    if not done.done:
        click.echo(
            "Some process still wraps under an older key: restart all of them, and run this again.",
            err=True,
        )
        return 75
    click.echo(
        "Once every process was started with this list, and this finds none to wrap, drop the older keys from it."
        " Backups of the key store from before need them."
    )
    return 0


def rotate_suppression_keys(name: str | None = None) -> int:
    """Gives one organisation, or all, a new suppression key; the worst exit code of any."""
    worst = 0
    with opened_installation(Settings.load()) as installation:
        with installation.database.read() as session:
            query = select(LogHead.organisation_id, LogHead.origin).order_by(LogHead.origin)
            if name is not None:
                owner = organisation_by_name(session, name)
                query = query.where(LogHead.organisation_id == owner.organisation_id)
            logs = session.execute(query).all()
        for organisation_id, origin in logs:
            try:
                with installation.database.begin() as tx:
                    rotated = rotate_suppression(tx, organisation_id)
            except (
                ConsentLedgerError
            ) as error:  # one organisation must not keep the others from moving
                click.echo(f"{origin}: {sentence(error)}", err=True)
                worst = max(worst, exit_code(error))
            else:
                click.echo(f"{origin}: {rotated.hashes} hashes under {rotated.version} keys.")
    return worst
