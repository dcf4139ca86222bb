"""`consentledger db backup`: one moment of a database in use, private, whole or not there."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consentledger.cli import cli
from consentledger.db import backup
from consentledger.db.installation import Installation, open_installation
from consentledger.kernel.errors import ConfigurationError, ConflictError, UnavailableError
from tests.factories import create_key_of, create_organisation
from tests.support.databases import SqliteDatabases
from tests.support.installations import environment_for, settings_from


@pytest.fixture
def environment(sqlite: SqliteDatabases, tmp_path: Path) -> dict[str, str]:
    """An installation on SQLite: PostgreSQL has its own tools for this."""
    return environment_for(sqlite.copy(tmp_path), tmp_path)


@pytest.fixture
def installation(environment: dict[str, str]) -> Iterator[Installation]:
    opened = open_installation(settings_from(environment))
    yield opened
    opened.database.close()


def run(environment: dict[str, str], *words: str) -> Result:
    return CliRunner(env=environment).invoke(cli, ["db", "backup", *words])


def rows(path: Path, query: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def test_a_backup_is_private_says_where_its_logs_stand_and_replaces_none(
    installation: Installation, environment: dict[str, str], tmp_path: Path
) -> None:
    owner = create_organisation(installation.database, installation.settings)
    target = tmp_path / "kept" / "monday.db"
    target.parent.mkdir()
    said = run(environment, str(target))
    assert said.exit_code == 0, said.output
    assert f"{owner.origin}: " in said.output
    assert [file.name for file in target.parent.iterdir()] == ["monday.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    content = target.read_bytes()
    again = run(environment, str(target))
    assert isinstance(again.exception, ConflictError)
    assert target.read_bytes() == content


def test_a_backup_under_load_is_one_moment(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = create_organisation(installation.database, installation.settings)
    monkeypatch.setattr(backup, "PAGES", 5)  # many steps: writers get in between
    source = Path(str(installation.database.url.database))
    stop, written = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        while not stop.is_set():
            create_key_of(installation.database, owner.organisation_id)
            written.release()

    writer = threading.Thread(target=write)
    writer.start()
    steps: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        if len(steps) < 5:
            while written.acquire(blocking=False):
                pass  # what was written before this step
            # Not before another entry has committed: the first of two may have done so a moment ago.
            written.acquire()
            written.acquire()
        steps.append((done, total))

    try:
        written.acquire()
        target = tmp_path / "copy.db"
        copied = backup.copy_sqlite(source, target, progress)
    finally:
        stop.set()
        writer.join(20)
    assert len(steps) > 5
    (log,) = copied.logs
    assert rows(target, "SELECT count(*), max(entry_index) + 1 FROM log_leaf") == [
        (log.size, log.size)
    ]
    assert rows(target, "PRAGMA integrity_check") == [("ok",)]
    assert rows(source, "SELECT size FROM log_head")[0][0] >= log.size + 5


def test_a_failed_backup_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "broken.db", tmp_path / "copy.db"
    with pytest.raises(ConfigurationError, match="no database"):
        backup.copy_sqlite(source, target, lambda done, total: None)
    source.write_bytes(b"no database at all" * 1000)
    with pytest.raises(UnavailableError, match="can't be copied"):
        backup.copy_sqlite(source, target, lambda done, total: None)
    with pytest.raises(ConfigurationError, match="Cannot write"):
        backup.copy_sqlite(source, tmp_path / "nowhere" / "copy.db", lambda done, total: None)
    assert [file.name for file in tmp_path.iterdir()] == ["broken.db"]


def test_without_hard_links_a_backup_still_gets_its_name(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise PermissionError(backup.errno.EPERM, "no links here")

    monkeypatch.setattr(backup.os, "link", refuse)
    source, target = Path(str(installation.database.url.database)), tmp_path / "copy.db"
    backup.copy_sqlite(source, target, lambda done, total: None)
    assert rows(target, "PRAGMA integrity_check") == [("ok",)]
    assert not list(tmp_path.glob(".*.part"))


def test_postgresql_and_a_key_store_that_is_not_apart_are_told_in_a_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    elsewhere = {**environment, "CONSENTLEDGER_DATABASE_URL": "postgresql://somewhere/db"}
    assert "docs/backup.md" in str(run(elsewhere, str(target)).exception)
    assert "KEYSTORE_URL is not set" in str(run(environment, "--keystore", str(target)).exception)
    assert not target.exists()


def test_a_key_store_of_its_own_is_copied_by_name(
    environment: dict[str, str], tmp_path: Path
) -> None:
    keys = tmp_path / "keys.db"
    with closing(sqlite3.connect(keys)) as connection:
        connection.execute("CREATE TABLE kept (n)")
    apart = {**environment, "CONSENTLEDGER_KEYSTORE_URL": f"sqlite:///{keys}"}
    target = tmp_path / "copy.db"
    said = run(apart, "--keystore", str(target))
    assert said.exit_code == 0, said.output
    assert rows(target, "SELECT count(*) FROM kept") == [(0,)]
