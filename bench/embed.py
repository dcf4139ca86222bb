"""The embedded form in a real browser: requests until one can type, and what it costs a slow telephone's main thread.

A page with the element and the same page without it are loaded in turn, in a fresh browser context each, with the CPU
throttled four times (Chrome DevTools Protocol); the cost is the difference of the medians of the main thread's tasks.
They are measured by the clock on the wall and by a throttle that sleeps: only a quiet machine tells the truth.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, sync_playwright

from bench.engines import ENGINES
from bench.figures import Figure
from consentledger.db.installation import open_database
from consentledger.db.migrate import upgrade
from tests.e2e import shops
from tests.support.browser import FLAGS, chromium_path
from tests.support.installations import environment_for, settings_from
from tests.support.smtp import SmtpPeer

LOADS = 15
MEASURED = ("TaskDuration", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
THROTTLED = 4
MOST_REQUESTS = 2
MOST_MS = 50.0
STYLE = "<style>:root { color-scheme: light dark } body { font-family: sans-serif }</style>"

# Without a locator of Playwright's, whose own script would be measured, too; and both pages live equally long, for
# a browser has much to do for any young page.
READY = """([element, ms]) => new Promise((go) => {
  const settle = () => setTimeout(go, ms - performance.now());
  const form = document.querySelector('consent-form');
  if (!element || form.shadowRoot?.querySelector('input')) settle();
  else addEventListener('consent-ready', settle);
})"""
LIFE_MS = 1500


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures once, whatever the engines: what a browser does is the same over each."""
    with tempfile.TemporaryDirectory(prefix="cl-bench-") as name, SmtpPeer() as smtp:
        folder = Path(name)
        mail = {"MAIL_SERVER": smtp.host, "MAIL_PORT": str(smtp.port)}
        environment = environment_for(f"sqlite:///{folder / 'bench.db'}", folder, **mail)
        database = open_database(settings_from(environment))
        upgrade(database)
        database.close()
        with shops.world(environment, smtp) as world, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(), args=[*FLAGS, *shops.FLAGS]
            )
            figures = _figures(world, browser)
            browser.close()
    return figures


def _figures(world: shops.World, browser: Browser) -> list[Figure]:
    link = f'<a href="{world.service}{world.shop.form}">Sign up</a>'
    bare = world.page(link, head=STYLE)
    other = world.page(link, head=STYLE)
    full = world.page(world.line(inner=link), head=STYLE)
    asked, without, with_it = [], [], []
    for _ in range(LOADS):
        without.append(_load(browser, bare, other, element=False))
        world.asked.clear()
        with_it.append(_load(browser, bare, full, element=True))
        asked.append(len(world.asked))
    cost = {
        name: median(one[name] for one in with_it) - median(one[name] for one in without)
        for name in MEASURED
    }
    drawn = cost["RecalcStyleDuration"] + cost["LayoutDuration"]
    bare_page = median(one["TaskDuration"] for one in without)
    where, throttled = "Chromium", f"main thread at {THROTTLED}x throttling"
    return [
        Figure(where, "requests until one can type", max(asked), "", MOST_REQUESTS, True),
        Figure(where, throttled, cost["TaskDuration"], "ms", MOST_MS, True),
        Figure(where, "of that, our script", cost["ScriptDuration"], "ms"),
        Figure(where, "of that, style and layout", drawn, "ms"),
        Figure(where, "the same page without the element", bare_page, "ms"),
    ]


def _load(browser: Browser, bare: str, address: str, *, element: bool) -> dict[str, float]:
    """Loads a page until one can type; what the main thread did meanwhile, by kind, in ms.

    Somebody who is on this site already: the start of a browser's process would drown what we look for.
    """
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.goto(bare, wait_until="load")
    page.evaluate(READY, [False, LIFE_MS])
    line = context.new_cdp_session(page)
    line.send("Performance.enable")
    line.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLED})
    before = _metrics(line)
    page.goto(address, wait_until="load")
    page.evaluate(READY, [element, LIFE_MS])
    after = _metrics(line)
    context.close()
    return {name: after[name] - before[name] for name in MEASURED}


def _metrics(line: CDPSession) -> dict[str, float]:
    found = line.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] * 1000 for each in found if each["name"] in MEASURED}
