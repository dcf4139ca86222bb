"""`consentledger db …`: the database's schema, and copies of it while it is in use."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from consentledger.cli.context import opened_database
from consentledger.db.backup import copy_sqlite
from consentledger.db.engine import Database
from consentledger.db.engines import DATABASE_URL, sqlite_path, with_driver
from consentledger.db.keystore.database import SETTING as KEYSTORE_URL
from consentledger.db.migrate import current_revision, keystore_revision, upgrade
from consentledger.kernel.errors import ConfigurationError
from consentledger.kernel.settings import Settings


@click.group()
def db() -> None:
    """The database: its schema, and backups."""


@db.command("upgrade")
def upgrade_command() -> None:
    """Bring the schema up to this version's; safe to run again, and while others run it.

    A key store of its own (KEYSTORE_URL) is brought up to date first.
    """
    settings = Settings.load()
    _make_folder(settings.database_url, DATABASE_URL)
    if settings.keystore_url is not None:
        _make_folder(settings.keystore_url, KEYSTORE_URL)
    with opened_database(settings) as database:
        before = _revisions(database)
        upgrade(database)
        for (what, old), (_, new) in zip(before, _revisions(database), strict=True):
            if old == new:
                click.echo(f"The {what} is up to date ({new}).")
            else:
                click.echo(f"The {what} went from {old or 'nothing'} to {new}.")


def _revisions(database: Database) -> list[tuple[str, str | None]]:
    store = database.log.keystore.database
    keys = [] if store is None else [("key store's schema", keystore_revision(store))]
    return [("schema", current_revision(database)), *keys]


@db.command("backup")
@click.option("--keystore", is_flag=True, help="Copy the key store of KEYSTORE_URL instead.")
@click.argument("file", type=click.Path(path_type=Path))
def backup_command(keystore: bool, file: Path) -> None:
    """Copy the SQLite database to the new FILE, mode 0600, while the service runs.

    For PostgreSQL see docs/backup.md: its own tools do this, to any moment.
    """
    source = _sqlite_file(Settings.load(), keystore)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("copying", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        copied = copy_sqlite(source, file, show)
    for log in copied.logs:
        click.echo(f"{log.origin}: {log.size} entries")
    click.echo(f"{file}: {copied.octets:,} bytes, written and synced.")


def _sqlite_file(settings: Settings, keystore: bool) -> Path:
    address, setting = settings.database_url, DATABASE_URL
    if keystore:
        if settings.keystore_url is None:
            raise ConfigurationError(
                f"{KEYSTORE_URL} is not set: the keys stand in the main database and go with its backup."
            )
        address, setting = settings.keystore_url, KEYSTORE_URL
    url = with_driver(address, setting)
    if url.get_backend_name() != "sqlite":
        raise ConfigurationError(
            f"{setting} is PostgreSQL, which has its own tools for this, "
            "pg_basebackup and pg_dump: docs/backup.md tells how."
        )
    return sqlite_path(url, setting)


def _make_folder(database_url: str, setting: str) -> None:
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
                f"Set {setting} to a place of yours."
            ) from error
