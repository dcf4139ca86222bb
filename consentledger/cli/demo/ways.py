"""The steps of signing up from the shop's page: by the element, and by a plain form without any script."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

from consentledger.cli.demo.pages import FORM, Answer, fetch, form_fields
from consentledger.cli.demo.play import Story, check
from consentledger.cli.demo.played import Played, reasons
from consentledger.cli.demo.shop import ask_permits

OTHER = "jo@person.example"


def three_ways(story: Story, played: Played) -> None:
    """Look at the shop's page as a browser gets it, and at what it loads."""
    with story.step("The shop’s page embeds the form in three ways") as said:
        shop, service, form = played.world.shop, played.shop.service, played.shop.form
        page = fetch(shop).body.decode()
        script = f'<script type="module" src="{service}/embed.js"></script>'
        check(f'{script}<consent-form form="{form}">' in page, "one line embeds the element")
        check(f'src="{service}/f/{form}/embed"' in page, "the iframe shows the form")
        check(f'action="{service}/f/{form}"' in page, "the plain form posts to the form")
        element = fetch(f"{service}/embed.js", Accept_Encoding="gzip")
        check(element.status == 200, "the element is there")
        check(len(element.body) < 8_000, f"it is small: {len(element.body)} bytes")
        frame = fetch(f"{service}/f/{form}/embed")
        policy = frame.headers.get("Content-Security-Policy", "")
        check(f"frame-ancestors {shop}" in policy, "the shop may frame the form")
        body = frame.body.decode()
        check('type="checkbox"' in body and "checked" not in body, "no box is ticked beforehand")
        check("<script" not in body, "the form works without scripts")
        said += [f"one line ({len(element.body)} bytes of script)", "iframe", "plain form"]
        said += ["only listed origins may frame it", "no box ticked"]


def by_element(story: Story, played: Played, person: str) -> None:
    """Do what the element does in a browser: load the form, wait, post it."""
    with story.step("Robin signs up with the element") as said:
        offers = played.shop.purposes[0][0]
        served = fetch(f"{_form(played)}/form.json", Origin=played.world.shop)
        check(served.status == 200, f"the form is served, not {served.status}")
        allowed = served.headers.get("Access-Control-Allow-Origin")
        check(allowed == played.world.shop, "this origin may read it")
        form = served.json()
        body = {
            "email": person, "purpose": [offers], "version": form["version"], "hash": form["hash"],
            "page": f"{played.world.shop}/", "source": "element",
        }  # fmt: skip
        check(_post(played, body).status == 422, "without the form's token nothing is taken")
        time.sleep(form["wait"])  # whoever is faster than a person is asked again
        answer = _post(played, {**body, "token": form["token"]})
        check(answer.status == 202, f"the form answers 202, not {answer.status}")
        check("Set-Cookie" not in {*served.headers, *answer.headers}, "no cookie is set")
        before = ask_permits(played.shop, offers, [person])
        check(not before["permits"][0]["allowed"], "nothing may be sent before the press")
        said += [
            f"version {form['version']} by its hash",
            "422 without its token",
            "202, no cookie",
        ]
        said += [f"no permit yet: {reasons(before)}"]
        played.world.run("log", "fsck")


def by_plain_form(story: Story, played: Played) -> None:
    """Press on a plain form, which carries no token, and once more on the page that comes."""
    with story.step("Jo signs up with the plain form") as said:
        offers = played.shop.purposes[0][0]
        first = _press(played, [("email", OTHER), ("purpose", offers)], played.world.shop)
        check(first.status == 422, f"a form without a token is not taken, but {first.status}")
        page = first.body.decode()
        check("checked" not in page, "no box is ticked on the page for one more press")
        fields = form_fields(page)
        check(("email", OTHER) in fields, "the page is filled in")
        done = _press(played, [*fields, ("purpose", offers)], played.shop.service)
        check(done.status == 200, f"the second press answers 200, not {done.status}")
        played.next_letter(OTHER)
        said += [
            "422: the service’s page, filled in but for the boxes",
            "once more: 200, and a mail",
        ]


def _form(played: Played) -> str:
    return f"{played.shop.service}/f/{played.shop.form}"


def _post(played: Played, body: dict[str, Any]) -> Answer:
    content = json.dumps(body).encode()
    kind = "application/json"
    return fetch(_form(played), body=content, Content_Type=kind, Origin=played.world.shop)


def _press(played: Played, fields: list[tuple[str, str]], origin: str) -> Answer:
    content = urlencode(fields).encode()
    return fetch(_form(played), body=content, Content_Type=FORM, Origin=origin)
