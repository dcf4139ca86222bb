"""Mail scanners: they open every link of a mail, by HEAD and GET, run the page's scripts, and press nothing."""

from __future__ import annotations

import queue
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Error

from bench.siege import pages
from bench.siege.client import Caller
from bench.siege.town import Town, networks
from bench.siege.work import kindly
from tests.support.browser import chromium_path, run_browser

IN_A_BROWSER = 6  # mails; a browser costs more of our two cores than all else together
MOST_PAGES = 12  # of one mail


@dataclass(slots=True)
class Scanned:
    """What the scanners did; `wrong` are answers of 500 and more."""

    mails: int = 0
    fetches: int = 0
    in_a_browser: int = 0
    wrong: list[str] = field(default_factory=list)


def scan(town: Town, gate: Any, mails: Any, done: Any) -> None:
    """The process of all scanners: takes lists of links until None comes; puts what it did."""
    kindly()
    town = town.opened(gate)
    scanned, machines = Scanned(), networks(17)
    with ExitStack() as stack:
        browser: Browser | None = None
        while (links := _next(mails)) is not None:
            scanned.mails += 1
            _fetch_all(scanned, Caller(town.port, next(machines)), links)
            if scanned.in_a_browser < IN_A_BROWSER and (path := chromium_path()):
                browser = browser or stack.enter_context(run_browser(path))
                _run_all(scanned, browser, town.port, links)
    done.put(scanned)


def _next(mails: Any) -> list[str] | None:
    try:
        found: list[str] | None = mails.get(timeout=300)
    except queue.Empty:
        return None
    return found


def _fetch_all(scanned: Scanned, caller: Caller, links: list[str]) -> None:
    """HEAD and GET of each link, and of every address on the pages behind, what the buttons post to included."""
    due = [path for link in links if (path := pages.path_of(link))]
    seen: set[str] = set()
    while due and len(seen) < MOST_PAGES:
        path = due.pop(0)
        if path in seen:
            continue
        seen.add(path)
        for method in ("HEAD", "GET"):
            answer = caller.get(path, method=method)
            scanned.fetches += 1
            if answer.status >= 500:
                scanned.wrong.append(f"{method} {path[:40]}: {answer.status}")
        if "text/html" in answer.headers.get("content-type", ""):
            found = pages.read(answer.text).addresses
            due += [path for link in found if (path := pages.path_of(link, path))]


def _run_all(scanned: Scanned, browser: Browser, port: int, links: list[str]) -> None:
    scanned.in_a_browser += 1
    context = browser.new_context()
    page = context.new_page()
    for link in links:
        if (path := pages.path_of(link)) is None:
            continue
        try:
            page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load", timeout=15_000)
            scanned.fetches += 1
            time.sleep(0.2)
            for anchor in page.locator("a[href^='/']").all()[:5]:
                anchor.hover(timeout=1_000)  # what prefetches on sight
        except Error as error:
            # A page that a scanner's browser gives up on has confirmed nothing either.
            scanned.wrong += [str(error)[:100]] if "500" in str(error) else []
    context.close()
