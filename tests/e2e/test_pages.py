"""Every page with sample contexts in a real browser: axe, narrow screens, targets, no scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.e2e.gallery import gallery_app
from tests.e2e.samples import samples

pytestmark = pytest.mark.browser
NAMES = sorted(samples())
SERIOUS = ("serious", "critical")

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, summary')]
  .map(e => e.closest('label.choice') || e)
  .filter(e => !e.classList.contains('skip'))
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([_, r]) => r.height < 43.5 && r.width > 0).map(([html, r]) => html + ' ' + r.height)"""


@dataclass(frozen=True, slots=True)
class Gallery:
    address: str


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    server = make_server("127.0.0.1", 0, gallery_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Gallery(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module", params=["light", "dark"])
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 320, "height": 640}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_accessible_and_fits_a_narrow_screen(
    gallery: Gallery, tab: Page, name: str
) -> None:
    tab.goto(f"{gallery.address}/{name}")
    assert tab.evaluate(OVERFLOW) <= 0
    assert tab.evaluate(SMALL) == []
    assert tab.locator("h1").count() == 1
    found = Axe().run(tab).response["violations"]
    assert [
        (v["id"], [node["html"] for node in v["nodes"]]) for v in found if v["impact"] in SERIOUS
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_needs_no_script_no_inline_style_and_nothing_from_afar(
    gallery: Gallery, name: str
) -> None:
    from tests.e2e.gallery import gallery_app

    html = gallery_app().test_client().get(f"/{name}").text
    for forbidden in ("<script", "style=", "javascript:", "onclick", "http-equiv"):
        assert forbidden not in html
    assert "&lt;b&gt;" in html or "<b>" not in html
