"""What a person does with the embedded form, and what a look at it finds."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.shops import World
from tests.web import acts

BUTTON = "Send me the mail to confirm"
DONE = "Please look into your mailbox"
SERIOUS = ("serious", "critical")
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll('consent-form')].flatMap((form) =>
  [...form.shadowRoot.querySelectorAll('a, button, input, summary')]
    .map((each) => each.closest('label.choice') ?? each)
    .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && box.height < 43.5).map(([html, box]) => `${html} ${box.height}`))"""
# The page's own events, kept where a test finds them.
EVENTS = """window.told = []; for (const name of ['ready', 'requested', 'error'])
  addEventListener(`consent-${name}`, (event) => told.push([name, event.detail]));"""


def fill(page: Page, address: str, box: str = "Weekly offers") -> None:
    """Fill in the form and tick one box, as a person would."""
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label(box).check()


def press(page: Page) -> None:
    """Press the form's one button."""
    page.get_by_role("button", name=BUTTON).click()


def done(page: Page) -> None:
    """Wait for the result, which has the focus so that a screen reader says it."""
    expect(page.get_by_role("heading", name=DONE)).to_be_focused()


def confirm(world: World, page: Page, address: str) -> None:
    """Follow the mail's link and press; from then on messages may go there."""
    assert not acts.allowed(world.installation, world.shop, address)
    page.goto(world.mail_to(address))
    page.get_by_role("button", name="Yes, I agree").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, it is recorded")
    assert acts.allowed(world.installation, world.shop, address)


def told(page: Page, name: str) -> list[dict[str, Any]]:
    """The details of the events of one name so far (the page must run EVENTS first)."""
    found = page.evaluate("() => told")
    return [detail for kind, detail in found if kind == name]


def look(page: Page) -> None:
    """No serious finding, nothing cut off, nothing too small for a finger."""
    found = Axe().run(page).response["violations"]
    assert [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found
        if each["impact"] in SERIOUS
    ] == []
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(SMALL) == []
