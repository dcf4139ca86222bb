"""The live world of the embedded form: opened once per test process, and everybody in it is somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import shops
from tests.support.browser import FLAGS, chromium_path
from tests.support.databases import SqliteDatabases
from tests.support.installations import environment_for
from tests.support.smtp import SmtpPeer

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def world(
    sqlite: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[shops.World]:
    """Service, worker, mailbox and a shop on another host."""
    folder: Path = tmp_path_factory.mktemp("embed")
    with SmtpPeer() as smtp:
        mail = {"MAIL_SERVER": smtp.host, "MAIL_PORT": str(smtp.port), "MAIL_TIMEOUT": "5"}
        environment = environment_for(sqlite.copy(folder), folder, **mail)
        with shops.world(environment, smtp) as made:
            yield made


@pytest.fixture(scope="session")
def private_browser(browser: Browser) -> Iterator[Browser]:
    """Chromium that blocks third parties' cookies and keeps a left page for the back button, as people's do."""
    running = browser.browser_type.launch(
        executable_path=chromium_path(),
        args=[*FLAGS, *shops.FLAGS],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield running
    running.close()


@pytest.fixture
def visit(world: shops.World, private_browser: Browser) -> Iterator[Visit]:
    """Opens a page as somebody else; afterwards nothing was kept on them and no script had failed."""
    contexts, wrong = [], []

    def open_page(address: str | None = None, **options: Any) -> Page:
        options = {"viewport": {"width": 640, "height": 800}, "locale": "en-GB", **options}
        contexts.append(private_browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: wrong.append(said.text) if "Content Security" in said.text else None,
        )
        if address:
            page.goto(address)
        return page

    yield open_page
    assert [context.cookies() for context in contexts if context.cookies()] == []
    for context in contexts:
        context.close()
    assert wrong == []
