"""How the embedded form looks and reads: dark, narrow, right-to-left, long words, forced colours, a page's style."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from consentledger.organisations.facts import FormField
from tests.e2e.conftest import Visit
from tests.e2e.embedded import look
from tests.e2e.shops import World, add_form

pytestmark = pytest.mark.browser
NARROW = {"width": 320, "height": 640}
BOTH = "<style>:root { color-scheme: light dark }</style>"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsneuigkeiten"
COLOUR = "(node, name) => getComputedStyle(node)[name]"


@pytest.fixture(scope="module")
def forms(world: World) -> dict[str, UUID | None]:
    """A form in each of three languages; our own sentences are not in Arabic yet, and then in English."""
    arabic = "نعم، يجوز لشركة Alpenkraut Ltd أن ترسل إليّ عروض أسبوعية عبر البريد الإلكتروني."
    german = f"Ja, Alpenkraut Ltd darf mir {LONG} per E-Mail senden."
    name = FormField("name", False)
    return {
        "en": None,
        "de": add_form(world, "de", LONG, german, name),
        "ar": add_form(world, "ar", "عروض أسبوعية", arabic, name),
    }


@pytest.mark.parametrize(
    ("language", "scheme"), [("en", "light"), ("en", "dark"), ("de", "dark"), ("ar", "light")]
)
def test_it_can_be_read_by_everybody_on_a_narrow_screen(
    world: World, visit: Visit, forms: dict[str, UUID | None], language: str, scheme: str
) -> None:
    world.person()
    direction = "rtl" if language == "ar" else "ltr"
    html = f'lang="{language}" dir="{direction}"'
    page: Page = visit(color_scheme=scheme, viewport=NARROW, reduced_motion="reduce")
    page.goto(world.page(world.line(forms[language]), head=BOTH, html=html))
    form = page.locator("consent-form")
    form.locator("input[type=email]").fill("x@example.org")
    look(page)
    form.locator("button").click()
    expect(form.locator("[role=alert]:visible")).not_to_be_empty()
    form.locator("summary").first.click()
    look(page)
    inner = form.locator("form")
    assert inner.evaluate(COLOUR, "direction") == direction
    dark = "rgb(27, 29, 32)" if scheme == "dark" else "rgb(255, 255, 255)"
    assert inner.evaluate(COLOUR, "backgroundColor") == dark
    check = form.locator("input[type=checkbox]").first.bounding_box()
    text = form.locator(".statement").first.bounding_box()
    assert check
    assert text
    assert (check["x"] > text["x"]) == (direction == "rtl")


def test_the_result_reads_as_well(world: World, visit: Visit) -> None:
    address = world.person()
    page = visit(color_scheme="dark", viewport=NARROW)
    page.goto(world.page(world.line(email=address), head=BOTH))
    page.get_by_label("Weekly offers").check()
    page.get_by_role("button", name="Send me").click()
    page.get_by_role("button", name="Fill in the form again").wait_for()
    look(page)
    page.get_by_role("button", name="Fill in the form again").click()
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("Weekly offers")).not_to_be_checked()


def test_forced_colours_leave_borders_and_focus_to_be_seen(world: World, visit: Visit) -> None:
    world.person()
    page = visit(world.page(world.line()), forced_colors="active")
    email = page.get_by_label("E-mail address")
    email.focus()
    assert email.evaluate(COLOUR, "outlineStyle") == "solid"
    assert email.evaluate(COLOUR, "borderTopWidth") == "1px"
    look(page)


def test_a_page_styles_it_by_properties_and_parts_and_by_nothing_else(
    world: World, visit: Visit
) -> None:
    world.person()
    style = """<style>
      * { text-transform: uppercase; font-size: 3px !important; }
      input { display: none !important; }
      consent-form { --consent-accent: rgb(1, 2, 3); --consent-on-accent: rgb(250, 251, 252);
        --consent-paper: rgb(255, 250, 240); --consent-radius: 0px; font-size: 20px !important; }
      consent-form::part(title) { font-style: italic; }
    </style>"""
    page = visit(world.page(world.line(), head=style))
    button = page.get_by_role("button", name="Send me")
    assert button.evaluate(COLOUR, "backgroundColor") == "rgb(1, 2, 3)"
    assert button.evaluate(COLOUR, "color") == "rgb(250, 251, 252)"
    assert button.evaluate(COLOUR, "borderTopLeftRadius") == "0px"
    inner = page.locator("consent-form form")
    assert inner.evaluate(COLOUR, "backgroundColor") == "rgb(255, 250, 240)"
    assert inner.evaluate(COLOUR, "fontSize") == "20px"
    assert inner.evaluate(COLOUR, "textTransform") == "none"
    assert page.locator(".title").first.evaluate(COLOUR, "fontStyle") == "italic"
    expect(page.get_by_label("E-mail address")).to_be_visible()
