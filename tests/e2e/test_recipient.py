"""The recipient's whole path in a real browser without JavaScript: sign up, confirm, leave, prove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from consentledger.db.installation import Installation
from tests.e2e import live
from tests.support.form_tokens import OPEN
from tests.support.mails import eventually, working
from tests.support.smtp import SmtpPeer
from tests.web import acts
from tests.web.town import Shop, open_shop

# The pages are the same on both engines; tests/web asks each of them on both.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
LINK = re.compile(r"https?://\S+/c/[\w.-]{33}")
SERIOUS = ("serious", "critical")
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, slots=True)
class Town:
    """The service on its port, a shop that is listed on another, one that is not on a third."""

    installation: Installation
    service: str
    shop: Shop
    listed: str
    unlisted: str


@pytest.fixture
def town(environment: dict[str, str]) -> Iterator[Town]:
    frame = '<iframe src="{}/embed" width=340 height=900 title="Sign up"></iframe>'
    plain = (
        '<form method="post" action="{}"><input name="email"><input name="page" value="https://x.example/">'
        '<input type="checkbox" name="purpose" value="{}"><button>Go</button></form>'
    )
    pages: dict[str, str] = {}
    with (
        live.service(environment) as (installation, service),
        live.serving(live.shop_app(pages)) as listed,
        live.serving(live.shop_app(pages)) as unlisted,
        working(installation),
    ):
        shop = open_shop(installation, "Alpenkraut", origins=(listed,), returns=(f"{listed}/",))
        pages["frame"] = frame.format(service + shop.form)
        pages["plain"] = plain.format(service + shop.form, shop.offers)
        pages["secretive"] = '<meta name="referrer" content="no-referrer">' + pages["plain"]
        yield Town(installation, service, shop, listed, unlisted)


@pytest.fixture
def person(browser: Browser) -> Iterator[Page]:
    """A person with a small screen and without JavaScript."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 640}, locale="en-GB"
    )
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def confirm_link(smtp: SmtpPeer) -> str:
    eventually(lambda: len(smtp.messages) > 0)
    text = smtp.messages[-1].message.get_body(("plain",))
    assert text is not None
    found = LINK.search(text.get_content())
    assert found
    return found[0]


def fill(
    town: Town, page: Page | FrameLocator, email: str = acts.MARIA, opened: timedelta = OPEN
) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Weekly offers").check()
    # How long a page was open stands in its token: no test has to wait, and none depends on how fast it is.
    token = town.shop.token(opened=opened)
    page.locator("[name=token]").evaluate("(field, token) => { field.value = token }", token)
    page.get_by_role("button", name="Send me the mail to confirm").click()


def test_sign_up_confirm_and_leave_without_javascript(
    town: Town, person: Page, smtp: SmtpPeer
) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    expect(person.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")
    person.goto(confirm_link(smtp))
    expect(
        person.get_by_text("Yes, Alpenkraut Ltd may send me Weekly offers by e-mail.")
    ).to_be_visible()
    assert not acts.allowed(town.installation, town.shop)
    person.get_by_role("button", name="Yes, I agree").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("Thank you, it is recorded")
    assert "kind consent.confirmed/1" in person.locator("pre").first.inner_text()
    assert acts.allowed(town.installation, town.shop)
    token = acts.unsubscribe_token(town.installation, town.shop)
    person.goto(f"{town.service}/u/{token}")
    person.get_by_role("button", name="Stop these messages").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert not acts.allowed(town.installation, town.shop)
    town.installation.signer.sign_due()
    person.get_by_role("link", name="Receipt with the signed proof").click()
    expect(person.get_by_role("heading", name="Signed proof")).to_be_visible()
    assert person.evaluate(OVERFLOW) <= 0


def test_a_mistake_comes_back_with_what_was_filled_in(town: Town, person: Page) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person, "maria@@example")
    expect(person.get_by_role("alert")).to_contain_text("Please write the address like this")
    expect(person.get_by_label("E-mail address")).to_have_value("maria@@example")
    expect(person.get_by_label("Weekly offers")).to_be_checked()
    expect(person.get_by_label("Gardening tips")).not_to_be_checked()
    person.get_by_role("alert").get_by_role("link").click()
    person.get_by_label("E-mail address").fill(acts.MARIA)
    person.get_by_role("button", name="Send me the mail to confirm").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")


def test_not_me_is_a_press_of_its_own(town: Town, person: Page, smtp: SmtpPeer) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    person.goto(confirm_link(smtp))
    person.get_by_role("button", name="This was not me").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("Thank you for telling us")


def test_stop_by_address_and_its_mail(town: Town, person: Page, smtp: SmtpPeer) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    person.goto(confirm_link(smtp))
    person.get_by_role("button", name="Yes, I agree").click()
    person.goto(f"{town.service}/u/{'x' * 33}")
    person.locator("main").get_by_role("link", name="Stop messages by address").click()
    person.get_by_label("E-mail address").fill(acts.MARIA)
    person.get_by_label("Who writes to you?").select_option(index=1)
    person.get_by_role("button", name="Stop these messages").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("Paused from now on")
    eventually(lambda: len(smtp.messages) > 1)
    text = smtp.messages[-1].message.get_body(("plain",))
    found = re.search(r"https?://\S+/stop/[\w.-]{33}", text.get_content() if text else "")
    assert found
    person.goto(found[0])
    person.get_by_role("button", name="Stop for good").click()
    expect(person.get_by_role("heading", level=1)).to_have_text("It is stopped")


def test_the_frame_works_on_listed_pages_only(town: Town, person: Page, smtp: SmtpPeer) -> None:
    person.goto(f"{town.listed}/frame")
    frame = person.frame_locator("iframe")
    fill(town, frame)
    expect(frame.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")
    assert confirm_link(smtp)
    person.goto(f"{town.unlisted}/frame")
    expect(person.frame_locator("iframe").get_by_label("E-mail address")).to_have_count(0)


def test_no_page_with_a_link_of_its_own_can_be_framed(
    town: Town, person: Page, smtp: SmtpPeer
) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    link = confirm_link(smtp)
    person.set_content(f'<iframe src="{link}" title="x"></iframe>')
    expect(person.frame_locator("iframe").get_by_role("button")).to_have_count(0)


def press_on_their_own_form(page: Page) -> None:
    page.locator("[name=email]").fill(acts.MARIA)
    page.locator("[name=purpose]").check()
    page.get_by_role("button").click()


def test_a_form_on_a_page_that_is_not_listed_is_refused(town: Town, person: Page) -> None:
    person.goto(f"{town.unlisted}/plain")
    press_on_their_own_form(person)
    expect(person.get_by_role("heading", level=1)).to_have_text("Not from there")


def press_once_more(town: Town, page: Page) -> None:
    """What a page asks for that is filled in but for its boxes; nothing was recorded before."""
    expect(page.get_by_text("One more press, please")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value(acts.MARIA)
    expect(page.get_by_label("Weekly offers")).not_to_be_checked()
    assert acts.undecided(town.installation, town.shop) == []
    page.get_by_label("Weekly offers").check()
    page.get_by_role("button", name="Send me the mail to confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")


@pytest.mark.parametrize("page", ["plain", "secretive"])
def test_a_shops_own_form_leads_to_our_page_for_one_more_press(
    town: Town, person: Page, smtp: SmtpPeer, page: str
) -> None:
    person.goto(f"{town.listed}/{page}")
    press_on_their_own_form(person)
    assert person.url == town.service + town.shop.form
    press_once_more(town, person)
    assert confirm_link(smtp)


def test_whoever_presses_at_once_is_asked_to_press_once_more(
    town: Town, person: Page, smtp: SmtpPeer
) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person, opened=timedelta(0))
    press_once_more(town, person)
    assert confirm_link(smtp)


COUNTRY = re.compile(r"/rules/[A-Z]")


def follow_everything(
    context: BrowserContext, start: str, seen: dict[str, int], depth: int = 2
) -> None:
    """Open a page with JavaScript and every link on it, as sandboxes of mail filters do.

    `seen` tells how far the links of each page were followed, and is added to.
    """
    todo = [(start, depth)]
    while todo:
        where, left = todo.pop()
        # A part of a page is that page. And all countries' pages are one view of the same data: three are enough.
        where = where.partition("#")[0]
        countries = [known for known in seen if COUNTRY.search(known)]
        if seen.get(where, -1) >= left or (COUNTRY.search(where) and len(countries) >= 3):
            continue
        seen[where] = left
        page = context.new_page()
        page.goto(where, wait_until="load")
        page.mouse.move(100, 100)
        found = page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
        origin = re.match(r"https?://[^/]+", start)
        if left and origin:
            todo += [(each, left - 1) for each in found if each.startswith(origin[0])]
        page.close()


def test_a_sandbox_that_runs_scripts_and_follows_every_link_changes_nothing(
    town: Town, person: Page, smtp: SmtpPeer, browser: Browser
) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    link = confirm_link(smtp)
    token = acts.unsubscribe_token(town.installation, town.shop)
    eventually(lambda: acts.last_kinds(town.installation, town.shop, 2) != [])
    settle(town)
    before = acts.size_of(town.installation, town.shop)
    context = browser.new_context(java_script_enabled=True)
    seen: dict[str, int] = {}
    for start in (link, f"{town.service}/u/{token}", f"{town.service}/"):
        follow_everything(context, start, seen)
        assert start in seen
    context.close()
    assert acts.size_of(town.installation, town.shop) == before


def settle(town: Town) -> None:
    """Wait until the worker has told the outcome of the mail."""

    def told() -> bool:
        size = acts.size_of(town.installation, town.shop)
        kinds = acts.last_kinds(town.installation, town.shop, size)
        return "confirmation.handled/1" in kinds

    eventually(told)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_real_pages_are_accessible(
    town: Town, smtp: SmtpPeer, browser: Browser, person: Page, scheme: str
) -> None:
    person.goto(town.service + town.shop.form)
    fill(town, person)
    token = acts.unsubscribe_token(town.installation, town.shop)
    context = browser.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))

    def check() -> None:
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in SERIOUS] == []
        assert page.evaluate(OVERFLOW) <= 0

    for address in _addresses(town, confirm_link(smtp), token):
        page.goto(address)
        check()

    def press(name: str) -> None:
        # The answer stands at the same address: without waiting, axe may look while one page replaces the other.
        with page.expect_navigation():
            page.get_by_role("button", name=name).click()
        check()

    page.goto(confirm_link(smtp))
    press("Yes, I agree")
    page.goto(f"{town.service}/u/{token}")
    press("Stop these messages")
    press("Stop everything of this organisation")
    context.close()
    # A blocked style, script or picture would be told on the console.
    assert [text for text in wrong if "Content Security Policy" in text] == []


def _addresses(town: Town, link: str, token: str) -> list[str]:
    paths: list[str] = [
        "/", "/stop", town.shop.form, f"{town.shop.form}/embed", f"/u/{token}", "/u/x", "/nowhere",
    ]  # fmt: skip
    return [link, *(town.service + path for path in paths)]
