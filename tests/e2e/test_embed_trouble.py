"""What can go wrong while an embedded form is open, and that people lose nothing by it but a press."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from consentledger.limits import rules
from consentledger.limits.service import Post
from consentledger.organisations import service
from consentledger.organisations.address_policies import ChangeAddressPolicy, change_address_policy
from consentledger.organisations.pausing import PauseForm, pause_form, resume_form
from consentledger.web.services import NAME
from tests.e2e.conftest import Visit
from tests.e2e.embedded import EVENTS, confirm, done, fill, press, told
from tests.e2e.shops import World, add_form, publish
from tests.support.mails import entries

pytestmark = pytest.mark.browser
GONE = "01890a5d-ac96-774b-bcce-b302099a8057"
PLAIN = (
    '<form method="post" action="{action}"><input name="email" aria-label="Address">'
    '<input type="checkbox" name="purpose" value="{box}" aria-label="Offers"><button>Go</button></form>'
)
STATEMENT = "Yes, Alpenkraut Ltd may send me {} by e-mail."


def opened(world: World, visit: Visit, line: str, **options: object) -> Page:
    """The page with the form in it, and its events kept."""
    page = visit(**options)
    page.add_init_script(EVENTS)
    page.goto(world.page(line))
    return page


def test_without_javascript_the_link_and_a_plain_form_lead_to_a_consent(
    world: World, visit: Visit
) -> None:
    address = world.person()
    plain = PLAIN.format(action=world.service + world.shop.form, box=world.shop.offers)
    page = visit(world.page(world.line(inner=plain)), java_script_enabled=False)
    page.get_by_label("Address").fill(address)
    page.get_by_label("Offers").check()
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Weekly offers")).not_to_be_checked()
    page.get_by_label("Weekly offers").check()
    press(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")
    confirm(world, page, address)
    page.goto(world.page(world.line()))
    page.get_by_role("link", name="Sign up over there").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up with Alpenkraut")


def test_a_form_replaced_while_open_is_asked_again(world: World, visit: Visit) -> None:
    address = world.person()
    form = add_form(world, "en", "Herb letters", STATEMENT.format("Herb letters"))
    page = opened(world, visit, world.line(form))
    fill(page, address, "Herb letters")
    publish(world, form)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("This form has changed since you opened it")
    assert told(page, "error")[-1]["reason"] == "form_changed"
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Herb letters")).not_to_be_checked()
    page.get_by_label("Herb letters").check()
    press(page)
    done(page)
    assert [found["version"] for found in told(page, "requested")] == [2]
    assert world.mail_to(address)
    found = entries(world.installation.database, world.shop.organisation_id, "consent.requested")
    versions = [e.values["form_version"] for e in found if e.values.get("address") == address]
    assert versions == [2]


def test_a_paused_form_says_so_and_goes_on_when_it_is_resumed(world: World, visit: Visit) -> None:
    address = world.person()
    form = add_form(world, "en", "Market days", STATEMENT.format("Market days"))
    database, organisation_id = world.installation.database, world.shop.organisation_id
    page = opened(world, visit, world.line(form))
    fill(page, address, "Market days")
    with database.begin() as tx:
        command = PauseForm(organisation_id, form, None, "unconfirmed", 50, 1)
        assert pause_form(tx, command, lambda _: None)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("takes no sign-ups")
    assert told(page, "error")[-1]["reason"] == "paused"
    other = opened(world, visit, world.line(form))
    other.wait_for_function("() => told.length")
    expect(other.get_by_role("link", name="Sign up over there")).to_be_visible()
    with database.begin() as tx:
        resume_form(tx, service.PublishForm(organisation_id, form, "test"))
    expect(page.get_by_label("Market days")).to_be_checked()
    press(page)
    done(page)
    assert world.mail_to(address)


def test_a_form_that_never_was_leaves_what_stands_between_the_tags(
    world: World, visit: Visit
) -> None:
    world.person()
    page = opened(world, visit, world.line(GONE, inner="") + world.line(GONE))
    page.wait_for_function("() => told.length === 2")
    assert {found["status"] for found in told(page, "error")} == {404}
    link = page.get_by_role("link", name=f"{world.service}/f/{GONE}")
    expect(link).to_be_visible()
    expect(page.get_by_role("link", name="Sign up over there")).to_be_visible()


def test_a_site_that_is_not_listed_gets_no_form(world: World, visit: Visit) -> None:
    world.person()
    page = visit()
    page.add_init_script(EVENTS)
    page.goto(world.page(world.line()).replace("shop.localhost", "thief.localhost"))
    page.wait_for_function("() => told.length")
    expect(page.get_by_label("E-mail address")).to_have_count(0)
    expect(page.get_by_role("link", name="Sign up over there")).to_be_visible()


def test_too_many_from_one_place_are_told_when_to_come_again(world: World, visit: Visit) -> None:
    address = world.person()
    page = opened(world, visit, world.line())
    fill(page, address)
    flood(world, rules.IP.count, same=True)
    press(page)
    alert = page.get_by_role("alert").filter(has_text="Many requests came from the same place")
    expect(alert).to_contain_text("(in ")
    expect(alert).to_contain_text("minute")
    (error,) = told(page, "error")
    assert error["status"] == 429
    assert 0 < error["retry_after"] <= rules.WINDOW
    world.remote = "203.0.113.77"
    press(page)
    done(page)
    assert world.mail_to(address)


def test_a_dead_line_keeps_what_was_typed(world: World, visit: Visit) -> None:
    address = world.person()
    page = opened(world, visit, world.line())
    fill(page, address)
    page.context.set_offline(True)
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("We got no answer")
    page.context.set_offline(False)
    page.route(
        f"**{world.shop.form}",
        lambda route: route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"}),
    )
    press(page)
    expect(page.get_by_role("button", name="Send me")).not_to_have_attribute(
        "aria-disabled", "true"
    )
    assert [(e["reason"], e["status"]) for e in told(page, "error")] == [
        ("offline", 0),
        ("http_503", 503),
    ]
    page.unroute_all()
    expect(page.get_by_label("Weekly offers")).to_be_checked()
    press(page)
    done(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert world.mail_to(address)


def test_an_answer_that_never_comes_is_given_up(world: World, visit: Visit) -> None:
    address = world.person()
    page = visit()
    page.clock.install()
    page.goto(world.page(world.line()))
    fill(page, address)
    hung: list[Route] = []
    page.route(f"**{world.shop.form}", lambda route: hung.append(route))
    press(page)
    with page.expect_request(f"**{world.shop.form}"):
        page.clock.fast_forward(2_000)
    page.clock.fast_forward(25_000)
    expect(page.get_by_role("alert")).to_contain_text("We got no answer")
    expect(page.get_by_label("E-mail address")).to_have_value(address)


def test_a_page_that_was_open_too_long_gets_a_fresh_token_by_itself(
    world: World, visit: Visit
) -> None:
    address = world.person()
    page = visit()

    def spoil(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        route.fulfill(response=answer, json={**body, "token": "x" * 76})

    # As if our keys had been changed meanwhile: the service finds the token stale, and the element asks anew.
    page.route("**/form.json*", spoil, times=1)
    page.goto(world.page(world.line()))
    fill(page, address)
    press(page)
    done(page)
    # A browser may ask for leave (OPTIONS) before each post.
    sent = [line.split()[0] for line in world.asked if "/f/" in line]
    assert [each for each in sent if each != "OPTIONS"] == ["GET", "POST", "GET", "POST"]
    assert world.mail_to(address)


def test_what_only_the_service_finds_costs_a_press_and_no_more(world: World, visit: Visit) -> None:
    address = world.person()
    page = opened(world, visit, world.line())
    fill(page, "info@example.org")
    with refusing_roles(world):
        press(page)
        email = page.get_by_label("E-mail address")
        expect(email).to_be_focused()
        expect(email).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_role("alert").filter(has_text="address")).not_to_be_empty()
    assert [(e["reason"], e["field"], e["status"]) for e in told(page, "error")] == [
        ("role", "email", 422)
    ]
    email.fill(address)
    # A browser's autofill fell into the trap that is laid for robots.
    page.locator("consent-form").evaluate(
        "(form) => { form.shadowRoot.querySelector('[name=website]').value = 'x' }"
    )
    press(page)
    expect(page.get_by_role("alert").filter(has_text="press the button once more")).to_be_focused()
    press(page)
    done(page)
    assert world.mail_to(address)


@contextmanager
def refusing_roles(world: World) -> Iterator[None]:
    """Meanwhile the shop takes no address of a role."""
    database, organisation_id = world.installation.database, world.shop.organisation_id
    with database.begin() as tx:
        change_address_policy(tx, ChangeAddressPolicy(organisation_id, "test", role="refuse"))
    yield
    with database.begin() as tx:
        change_address_policy(tx, ChangeAddressPolicy(organisation_id, "test", role="flag"))


def test_under_pressure_the_device_works_and_the_person_waits_a_moment(
    world: World, visit: Visit
) -> None:
    address = world.person()
    form = add_form(world, "en", "Seed lists", STATEMENT.format("Seed lists"))
    page = opened(world, visit, world.line(form))
    fill(page, address, "Seed lists")
    flood(world, rules.FORM_PRESSURE[0] + 1, form=form)
    press(page)
    expect(page.get_by_role("status")).to_have_text("Sending …")
    done(page)
    assert len(world.posts()) == 2, "a challenge came back, and its solution went out"
    # Who comes later finds the challenge in the form: the device works while they type.
    address = world.person()
    page.reload()
    fill(page, address, "Seed lists")
    press(page)
    done(page)
    assert len(world.posts()) == 1
    assert world.mail_to(address)


def test_where_a_browser_cannot_compute_the_way_leads_to_our_own_page(
    world: World, visit: Visit
) -> None:
    address = world.person()
    form = add_form(world, "en", "Tea times", STATEMENT.format("Tea times"))
    flood(world, rules.FORM_PRESSURE[0] + 1, form=form)
    page = visit()
    # As on a page without https.
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.goto(world.page(world.line(form)))
    fill(page, address, "Tea times")
    press(page)
    page.get_by_role("button", name="Open this form on a page of its own").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more press, please")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    expect(page.get_by_label("Tea times")).not_to_be_checked()


def flood(world: World, count: int, *, same: bool = False, form: object = None) -> None:
    """Let others post: `same` from this person's place, else each from a place of their own."""
    limiter = world.app.extensions[NAME].limiter
    form_id = form or world.shop.form_id
    for number in range(count):
        remote = world.remote if same else f"10.{number}.1.1"
        mailbox = f"crowd{number}@example.org"
        limiter.count_post(Post(remote, mailbox, form_id, world.shop.organisation_id))
