"""The one-line form in a page of another host, in a real browser: every kind of page and person it must work for."""

from __future__ import annotations

import base64
import hashlib

import pytest
from playwright.sync_api import Page, expect

from consentledger.web.releases import newest
from tests.e2e.conftest import Visit
from tests.e2e.embedded import DONE, EVENTS, confirm, done, fill, press, told
from tests.e2e.shops import World, add_translated
from tests.support.mails import entries

pytestmark = pytest.mark.browser
STRICT = (
    "default-src 'none'; script-src {service}; connect-src {service}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def pinned(world: World, integrity: str) -> str:
    """The one line with a version and its hash."""
    return world.line().replace(
        f'src="{world.service}/embed.js"',
        f'src="{world.service}/embed/{newest().version}.js" integrity="{integrity}" crossorigin',
    )


def test_a_strict_page_with_a_pinned_version_and_the_whole_way_to_a_consent(
    world: World, visit: Visit
) -> None:
    address = world.person()
    # No inline style or script, no Trusted Types policy, no cookie of a third party: nothing of it is needed.
    policy = STRICT.format(service=world.service)
    page = visit()
    page.add_init_script(EVENTS)
    page.goto(world.page(pinned(world, newest().integrity), Content_Security_Policy=policy))
    fill(page, address)
    form = str(world.shop.form_id)
    assert world.asked == [f"GET /embed/{newest().version}.js", f"GET /f/{form}/form.json"]
    assert told(page, "ready") == [{"form": form, "version": 1, "language": "en"}]
    press(page)
    done(page)
    (said,) = told(page, "requested")
    assert said == {"form": form, "version": 1, "language": "en", "expires_in_days": 7}
    (entry,) = [
        found
        for found in entries(
            world.installation.database, world.shop.organisation_id, "consent.requested"
        )
        if found.values.get("address") == address
    ]
    assert entry.values["source"] == "element"
    assert str(entry.values["page"]).startswith(f"{world.site}/page")
    confirm(world, page, address)


def test_a_version_with_another_hash_is_refused_and_the_link_stays(
    world: World, visit: Visit
) -> None:
    world.person()
    wrong = base64.b64encode(hashlib.sha384(b"something else").digest()).decode()
    page = visit(world.page(pinned(world, f"sha384-{wrong}")))
    page.wait_for_load_state("networkidle")
    assert world.asked == [f"GET /embed/{newest().version}.js"]
    assert not page.evaluate("() => Boolean(customElements.get('consent-form'))")
    expect(page.get_by_role("link", name="Sign up over there")).to_be_visible()


@pytest.mark.parametrize("blocked", ["**/embed.js", "**/form.json*"])
def test_what_a_blocker_takes_away_leaves_the_link(
    world: World, visit: Visit, blocked: str
) -> None:
    world.person()
    page = visit()
    page.add_init_script(EVENTS)
    page.route(blocked, lambda route: route.abort("blockedbyclient"))
    page.goto(world.page(world.line()))
    page.wait_for_load_state("networkidle")
    if "form.json" in blocked:
        page.wait_for_function("() => told.length")
        (said,) = told(page, "error")
        assert said == {"reason": "offline", "field": None, "status": 0, "retry_after": None}
    page.get_by_role("link", name="Sign up over there").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up with Alpenkraut")


def test_a_slow_line_shows_what_stands_between_the_tags_and_keeps_what_is_typed_there(
    world: World, visit: Visit
) -> None:
    address = world.person()
    plain = (
        f'<form method="post" action="{world.service}{world.shop.form}">'
        '<input name="email" aria-label="Your address"></form>'
    )
    page = visit()
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": 20_000, "uploadThroughput": 9_000},
    )
    page.goto(world.page(world.line(inner=plain)), wait_until="commit")
    page.get_by_label("Your address").press_sequentially(address)
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.get_by_label("Weekly offers").check()
    press(page)
    expect(page.get_by_text("Sending …")).to_be_visible()
    done(page)
    assert world.mail_to(address)


def test_by_keyboard_alone_with_a_mistake_on_the_way(world: World, visit: Visit) -> None:
    address = world.person()
    page = visit(world.page(world.line(inner="")))
    email, offers = page.get_by_label("E-mail address"), page.get_by_label("Weekly offers")
    expect(offers).not_to_be_checked()
    email.focus()
    page.keyboard.press("Enter")
    expect(email).to_be_focused()
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_accessible_description(
        "Please write the address like this: name@example.org"
    )
    page.keyboard.type(address)
    page.keyboard.press("Enter")
    expect(offers).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="tick what")).to_be_visible()
    expect(email).not_to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Space")
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => document.activeElement.shadowRoot?.activeElement?.name"))
        if page.get_by_role("button", name="Send me").evaluate("(e) => e.matches(':focus')"):
            break
    assert "website" not in seen, "nobody gets into the trap by keyboard"
    page.keyboard.press("Enter")
    done(page)
    assert world.mail_to(address)


def test_pressing_twice_and_once_more_is_one_post(world: World, visit: Visit) -> None:
    address = world.person()
    page = visit(world.page(world.line()))
    fill(page, address)
    page.get_by_role("button", name="Send me").dblclick()
    page.get_by_label("E-mail address").press("Enter")
    done(page)
    assert world.posts() == [f"POST /f/{world.shop.form_id}"]
    assert world.mail_to(address)
    assert len([each for each in world.smtp.messages if each.rcpt_tos == (address,)]) == 1


def test_the_back_button_brings_a_form_that_works(world: World, visit: Visit) -> None:
    address = world.person()
    page = visit(world.page(world.line()))
    page.evaluate("() => addEventListener('pageshow', (e) => { window.kept = e.persisted })")
    page.get_by_label("E-mail address").fill(address)
    page.goto(world.service + world.shop.form)
    page.go_back(wait_until="commit")
    assert page.evaluate("() => window.kept"), "the browser has kept the page as it was"
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Weekly offers")).not_to_be_checked()
    page.get_by_label("Weekly offers").check()
    press(page)
    done(page)
    page.goto(world.service + world.shop.form)
    page.go_back(wait_until="commit")
    expect(page.get_by_role("heading", name=DONE)).to_be_visible()
    page.reload()
    expect(page.get_by_label("E-mail address")).to_have_value("")


def test_two_forms_on_one_page_do_not_mix(world: World, visit: Visit) -> None:
    first = world.person()
    second = f"other-{first}"
    page = visit(world.page(world.line(email=first) + world.line(email="x@x.example", name="Bo")))
    one, other = page.locator("consent-form").nth(0), page.locator("consent-form").nth(1)
    expect(one.get_by_label("E-mail address")).to_have_value(first)
    expect(other.get_by_label("Name")).to_have_value("Bo")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    other.get_by_label("E-mail address").fill(second)
    other.get_by_label("Gardening tips").check()
    one.get_by_label("Weekly offers").check()
    other.get_by_role("button", name="Send me").click()
    one.get_by_role("button", name="Send me").click()
    expect(one.get_by_role("heading", name=DONE)).to_be_visible()
    expect(other.get_by_role("heading", name=DONE)).to_be_visible()
    page.goto(world.mail_to(second))
    expect(page.get_by_text("may send me Gardening tips")).to_be_visible()
    expect(page.get_by_text("may send me Weekly offers")).to_have_count(0)
    page.goto(world.mail_to(first))
    expect(page.get_by_text("may send me Weekly offers")).to_be_visible()


# A browser's own translation puts each text into <font> elements of its own, wherever it is not forbidden.
TRANSLATE = """() => {
  const root = document.querySelector('consent-form').shadowRoot;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.data.trim() && !text.parentElement.closest('[translate=no], style')) found.push(text);
  }
  for (const text of found) {
    const outer = document.createElement('font'), inner = document.createElement('font');
    text.replaceWith(outer);
    outer.append(inner);
    inner.textContent = text.data.toUpperCase();
  }
  return found.map((text) => text.data);
}"""


def test_a_browsers_own_translation_changes_our_words_and_not_what_was_published(
    world: World, visit: Visit
) -> None:
    address = world.person()
    page = visit(world.page(world.line()))
    page.get_by_label("E-mail address").fill(address)
    changed = page.evaluate(TRANSLATE)
    assert "Send me the mail to confirm" in changed
    assert not [text for text in changed if "Alpenkraut" in text]
    expect(
        page.get_by_text("Yes, Alpenkraut Ltd may send me Weekly offers by e-mail.")
    ).to_be_visible()
    page.get_by_role("button", name="SEND ME").click()
    expect(page.get_by_text("Please tick what you would like")).to_be_visible()
    page.evaluate(TRANSLATE)
    page.get_by_label("Weekly offers").check()
    page.get_by_role("button", name="SEND ME").click()
    expect(page.get_by_text("PLEASE TICK")).to_have_count(0)
    done(page)
    page.evaluate(TRANSLATE)
    expect(page.get_by_role("heading", name="PLEASE LOOK")).to_be_visible()
    assert world.mail_to(address)


def test_a_form_that_is_moved_or_renamed_keeps_what_was_typed(world: World, visit: Visit) -> None:
    address = world.person()
    page: Page = visit(world.page(world.line() + '<div id="there"></div>'))
    fill(page, address)
    page.evaluate("() => there.append(document.querySelector('consent-form'))")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Weekly offers")).to_be_checked()
    page.locator("consent-form").evaluate("(form) => form.setAttribute('email', 'no@no.example')")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    asked = len(world.asked)
    with page.expect_response("**/form.json?lang=fr"):
        page.locator("consent-form").evaluate("(form) => form.setAttribute('lang', 'fr')")
    expect(page.get_by_label("Weekly offers")).not_to_be_checked()
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    assert len(world.asked) == asked + 1


def test_it_speaks_as_what_stands_around_it(world: World, visit: Visit) -> None:
    address = world.person()
    first, german = add_translated(
        world,
        ("en", "Moss letters", "Yes, Alpenkraut Ltd may send me Moss letters by e-mail."),
        ("de", "Moosbriefe", "Ja, Alpenkraut Ltd darf mir Moosbriefe per E-Mail senden."),
    )
    page = visit()
    page.add_init_script(EVENTS)
    lines = f'<div lang="de-AT">{world.line(first)}</div>{world.line(first, lang="en")}'
    page.goto(world.page(lines, html='lang="fr"'))
    one, other = page.locator("consent-form").nth(0), page.locator("consent-form").nth(1)
    expect(other.get_by_label("Moss letters")).not_to_be_checked()
    one.get_by_label("E-Mail-Adresse").fill(address)
    one.get_by_label("Moosbriefe").check()
    one.get_by_role("button", name="Schickt mir die Mail zum Bestätigen").click()
    expect(one.get_by_role("heading")).to_be_focused()
    (said,) = told(page, "requested")
    assert (said["form"], said["language"]) == (str(german), "de")
    page.goto(world.mail_to(address))
    expect(page.get_by_text("Ja, Alpenkraut Ltd darf mir Moosbriefe")).to_be_visible()
