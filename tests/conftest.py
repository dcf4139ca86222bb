"""Fixtures with real peers: both database engines, an SMTP server that fails on command, Chromium.

Nothing is skipped silently: under CI=true a missing peer fails the test that needs it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import structlog

from tests.support.certificates import Authority
from tests.support.databases import PostgresDatabases, SqliteDatabases, postgres_databases
from tests.support.installations import environment_for, settings_from
from tests.support.smtp import SmtpPeer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from consentledger.db.engine import Database
    from consentledger.db.installation import Installation
    from consentledger.kernel.settings import Settings

ENGINES = ("sqlite", "postgresql")
# SQLite waits for the disk at every commit. A killed process loses nothing in memory either; PostgreSQL's fsync is off.
MEMORY = Path("/dev/shm")
ROOM = 4 << 30


def pytest_configure() -> None:
    """Take away two waits that no test is about: for disks, and for errors that are drawn for developers."""
    if _is_roomy(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    # By default structlog draws every frame's variables, a second for each error; the service tells them plainly.
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*before, plain])


def _is_roomy(folder: Path) -> bool:
    """Tells whether programs may be run from a folder that has room for what all tests leave behind."""
    try:
        free, flags = shutil.disk_usage(folder).free, os.statvfs(folder).f_flag
    except OSError:
        return False
    return os.access(folder, os.W_OK) and free > ROOM and not flags & os.ST_NOEXEC


def missing(what: str, remedy: str) -> NoReturn:
    """Fail under CI=true, skip elsewhere, and say in both cases what to do."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and under CI nothing is skipped: {remedy}")
    pytest.skip(f"{what} is missing: {remedy}")


def _upgrade(url: str) -> None:
    from consentledger.db.installation import open_database
    from consentledger.db.migrate import upgrade

    opened = open_database(settings_from(environment_for(url, Path())))
    upgrade(opened)
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """Databases on a real PostgreSQL server, one server per test process."""
    with postgres_databases(_upgrade) as databases:
        if databases is None:
            missing(
                "PostgreSQL 15+",
                "run tools/system-packages, or set CONSENTLEDGER_TEST_POSTGRES_URL",
            )
        yield databases


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """SQLite databases, copied from a file that was migrated once."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"), _upgrade)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database with the migrated schema, on each engine in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite").copy(tmp_path)
        return
    with request.getfixturevalue("postgres").clone() as url:
        yield url


@pytest.fixture
def environment(database_url: str, smtp: SmtpPeer, tmp_path: Path) -> dict[str, str]:
    """The CONSENTLEDGER_… variables of a fresh installation whose mail goes to `smtp`."""
    mail = {"MAIL_SERVER": smtp.host, "MAIL_PORT": str(smtp.port), "MAIL_TIMEOUT": "5"}
    return environment_for(database_url, tmp_path, **mail)


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """The settings of a fresh installation on each engine in turn."""
    return settings_from(environment)


@pytest.fixture
def installation(settings: Settings) -> Iterator[Installation]:
    """A fresh installation on each engine in turn: settings, database, log, keys, tokens, guard."""
    from consentledger.db.installation import open_installation

    opened = open_installation(settings)
    yield opened
    opened.database.close()


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with the migrated schema, on each engine in turn."""
    from consentledger.db.installation import open_database

    opened = open_database(settings_from(environment_for(database_url, tmp_path)))
    yield opened
    opened.close()


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, on each engine in turn (for migrations)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with request.getfixturevalue("postgres").empty() as url:
        yield url


@pytest.fixture
def smtp() -> Iterator[SmtpPeer]:
    """A real SMTP server on 127.0.0.1 without TLS; see tests/support/smtp.py for its failures."""
    with SmtpPeer() as peer:
        yield peer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of this run, for SMTP and HTTPS peers with TLS."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; one per test process."""
    # Imported here: most test runs need no browser, and Playwright is slow to import.
    from tests.support.browser import chromium_path, run_browser

    executable = chromium_path()
    if executable is None:
        missing("Chromium", "run tools/system-packages, or set CONSENTLEDGER_TEST_CHROMIUM")
    with run_browser(executable) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser context of its own: no cookie and no cache is shared between tests."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
