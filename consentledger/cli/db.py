"""`consentledger db …`: the database's schema."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from consentledger.cli.context import opened_database
from consentledger.db.migrate import current_revision, upgrade
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.settings import Settings


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def upgrade_command() -> None:
    """Bring the schema up to this version's; safe to run again, and while others run it."""
    settings = Settings.load()
    _make_folder(settings.database_url)
    with opened_database(settings) as database:
        before = current_revision(database)
        upgrade(database)
        after = current_revision(database)
    if before == after:
        click.echo(f"The schema is up to date ({after}).")
    else:
        click.echo(f"The schema went from {before or 'nothing'} to {after}.")


def _make_folder(database_url: str) -> None:
    # The first start in an empty folder: ./instance is ours to make, private to this user.
    with suppress(ArgumentError):
        url = make_url(database_url)
        if url.get_backend_name() != "sqlite" or not url.database:
            return
        folder = Path(url.database).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"Cannot make the database's folder {folder}: {error.strerror}. "
                "Set CONSENTLEDGER_DATABASE_URL to a place of yours."
            ) from error
