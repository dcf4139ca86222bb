"""`consentledger db …`: the database's schema."""

from __future__ import annotations

import click

from consentledger.cli.context import opened_database
from consentledger.db.migrate import current_revision, upgrade
from consentledger.kernel.settings import Settings


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def upgrade_command() -> None:
    """Bring the schema up to this version's; safe to run again, and while others run it."""
    with opened_database(Settings.load()) as database:
        before = current_revision(database)
        upgrade(database)
        after = current_revision(database)
    if before == after:
        click.echo(f"The schema is up to date ({after}).")
    else:
        click.echo(f"The schema went from {before or 'nothing'} to {after}.")
