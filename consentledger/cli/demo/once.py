"""`demo --once`: the main job from a shop's form to a proof that checks, over real HTTP and real SMTP."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import click

from consentledger.cli.demo.customer import CUSTOMER, exception
from consentledger.cli.demo.mailbox import one_click_address, press_one_click
from consentledger.cli.demo.pages import FORM, fetch, form_fields
from consentledger.cli.demo.play import Story, check
from consentledger.cli.demo.played import Played, reasons
from consentledger.cli.demo.postbox import Postbox
from consentledger.cli.demo.proof import prove
from consentledger.cli.demo.seed import PACKS, open_shop
from consentledger.cli.demo.shop import ask_permits, deliver, newsletter
from consentledger.cli.demo.ways import by_element, by_plain_form, three_ways
from consentledger.cli.demo.world import DemoError, World

PERSON = "robin@person.example"


def play(world: World, out: Path) -> int:
    """Play all steps; print a line for each; return 0 if all held and 1 at the first that did not."""
    story = Story()
    try:
        with story.step("A shop opens") as said:
            played = Played(world, open_shop(world), Postbox(world.instance.folder / "mail"))
            rules = fetch(f"{world.service}/rules/{PACKS[-1]}")
            check(rules.status == 200, "the rules that protect Robin are there to read")
            said += ["organisation, rule packs and key by command"]
            said += ["categories, sender, purposes, wordings, form by API"]
        three_ways(story, played)
        by_element(story, played, PERSON)
        link = _mail(story, played)
        _confirm(story, played, link)
        by_plain_form(story, played)
        _permit_and_leave(story, played)
        exception(story, played)
        prove(story, world, played.shop, (PERSON, CUSTOMER), out)
    except DemoError as error:
        click.echo(f"\n{error}\n\n{world.last_words()}", err=True)
        return 1
    story.end()
    return 0


def _mail(story: Story, played: Played) -> str:
    with story.step("One mail arrives") as said:
        letter = played.next_letter(PERSON)
        message = letter.message
        check(message["Auto-Submitted"] == "auto-generated", "the mail says that it is automatic")
        check("List-Unsubscribe" not in message, "a confirmation mail is no list mail")
        text = message.get_body(("plain",))
        check(text is not None and message.get_body(("html",)), "the mail has text and HTML")
        link = re.search(
            re.escape(played.shop.service) + r"/c/[A-Za-z0-9_.-]{33}",
            str(text and text.get_content()),
        )
        check(link, "the text part holds the confirm link")
        check("Harbour & Pine Trading Ltd" in str(text and text.get_content()), "it says who asks")
        said += ["over SMTP", "text and HTML", "who asks, in full", "one link to confirm"]
        return link[0] if link else ""


def _confirm(story: Story, played: Played, link: str) -> None:
    offers = played.shop.purposes[0][0]
    with story.step("A scanner opens the link") as said:
        for method in ("HEAD", "GET"):
            check(fetch(link, method=method).status == 200, f"{method} answers 200")
        still = ask_permits(played.shop, offers, [PERSON])
        check(not still["permits"][0]["allowed"], "opening a link confirms nothing")
        said += ["page with the full wording", "nothing confirmed"]
    with story.step("Robin presses the button") as said:
        fields = form_fields(fetch(link).body.decode())
        check(fields, "the page has a form that names what it shows")
        done = fetch(link, body=urlencode(fields).encode(), Content_Type=FORM)
        check(done.status == 200, f"the press answers 200, not {done.status}")
        check("consent.confirmed" in done.body.decode(), "the page hands over the proof of the act")
        said += ["200", "the page hands over leaf, index and disclosures"]


def _permit_and_leave(story: Story, played: Played) -> None:
    shop, offers, stories = played.shop, played.shop.purposes[0][0], played.shop.purposes[1][0]
    with story.step("The shop asks before it sends") as said:
        answer = ask_permits(shop, offers, [PERSON, "stranger@person.example"])
        permit, stranger = answer["permits"]
        check(permit["allowed"] and permit["basis"], f"Robin may be mailed: {reasons(answer)}")
        check(not stranger["allowed"], "a stranger may not be mailed")
        other = ask_permits(shop, stories, [PERSON])
        check(not other["permits"][0]["allowed"], "another purpose needs its own consent")
        check(len(permit["unsubscribe_url"]) < 76, "the link is short enough for one header line")
        said += ["allowed, with link and headers", "stranger and other purpose denied"]
    with story.step("The message goes out") as said:
        deliver(shop, newsletter(shop, PERSON, permit))
        letter = played.next_letter(PERSON)
        address = one_click_address(letter.message)
        check(address == permit["unsubscribe_url"], "List-Unsubscribe arrived on one line, whole")
        said += ["over SMTP", "List-Unsubscribe and List-Unsubscribe-Post on the wire"]
    with story.step("Robin leaves with one click") as said:
        for _ in range(2):
            answered = press_one_click(str(address))
            check(answered.status == 200, f"RFC 8058 answers 200, not {answered.status}")
            check("Set-Cookie" not in answered.headers, "no cookie is set")
        said += ["RFC 8058 POST: 200", "and 200 again", "no page, no redirect, no cookie"]
    with story.step("The next message is refused") as said:
        after = ask_permits(shop, offers, [PERSON])
        check(not after["permits"][0]["allowed"], "no permit after a withdrawal")
        said += [reasons(after)]
