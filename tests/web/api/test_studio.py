"""The form studio by API: translations, what they lack, and what to paste into a page."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from hashlib import sha384
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import consentledger
from tests.web.api.caller import Caller, Made, wording

EMBED = Path(consentledger.__file__).parent / "static" / "embed"
GERMAN = "Ja, Alpenkraut Versand GmbH darf mir {} per E-Mail schicken."


class Tags(HTMLParser):
    """Every tag of a snippet with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def german_draft(alice: Caller, made: Made, title: str = "Wochenangebote") -> dict[str, Any]:
    """A German form's draft, whose purpose has its German title and whose wording is published."""
    titles = {"en": "weekly offers", "de": title}
    alice.post(f"/purposes/{made.purpose}:publish", {"titles": titles})
    text = alice.wording(made.sender, made.purpose, language="de", statement=GERMAN.format(title))
    return {
        "sender": made.sender,
        "language": "de",
        "wordings": [text],
        "translation_of": made.form,
    }


def test_a_form_is_translated_and_told_what_it_lacks(alice: Caller) -> None:
    made = alice.form(name="newsletter", origins=["https://shop.example"])
    assert alice.get(f"/forms/{made.form}")["name"] == "newsletter"
    draft = german_draft(alice, made)
    other = alice.post("/forms", draft, 201)
    assert other["translation_of"] == made.form
    problem = alice.post(f"/forms/{other['id']}:publish", status=422)
    assert [(each["field"], each["reason"]) for each in problem["errors"]] == [
        ("origins", "differs")
    ]
    found = alice.get(f"/forms/{made.form}/completeness")
    assert (found["complete"], found["served"], found["gaps"]) == (True, True, [])
    [german] = found["translations"]
    assert (german["id"], german["language"], german["complete"]) == (other["id"], "de", False)
    assert german["gaps"] == problem["errors"]
    alice.put(f"/forms/{other['id']}", {**draft, "origins": ["https://shop.example"]})
    assert alice.post(f"/forms/{other['id']}:publish")["behind"] == []
    [german] = alice.get(f"/forms/{made.form}/completeness")["translations"]
    assert (german["served"], german["complete"]) == (True, True)
    body = {"sender": made.sender, "language": "en", "wordings": [made.wording]}
    kept = alice.put(f"/forms/{made.form}", body)
    assert kept["name"] == "newsletter"
    assert alice.post(f"/forms/{made.form}:publish")["behind"] == ["de"]
    assert alice.call("POST", "/forms", {**body, "name": "newsletter"}).status_code == 409
    assert alice.call("POST", "/forms", draft).status_code == 409


def test_a_stranger_s_form_is_not_translated(alice: Caller, charlie: Caller) -> None:
    made, own = alice.form(), charlie.form()
    body = {"sender": own.sender, "language": "de", "wordings": []}
    problem = charlie.post("/forms", {**body, "translation_of": made.form}, 422)
    assert [(each["field"], each["reason"]) for each in problem["errors"]] == [
        ("translation_of", "not_found")
    ]
    assert len(charlie.get("/forms")["items"]) == 1


def test_what_to_paste_fits_the_form(alice: Caller) -> None:
    title = "weekly <b>offers</b> & “more”"
    sender = alice.sender(name='The "Shop" & Co')
    purpose = alice.purpose(title)
    text = alice.wording(sender, purpose, title)
    body = {"sender": sender, "language": "en", "wordings": [text]}
    fields = [{"name": "email", "required": True}, {"name": "first_name"}]
    form = alice.post("/forms", {**body, "fields": fields}, 201)["id"]
    found = alice.get(f"/forms/{form}/snippets")
    assert set(found) == {"element", "pinned", "iframe", "html", "curl"}
    base = "https://consent.test"
    for name in ("element", "pinned"):
        assert "\n" not in found[name]
        tags = Tags(found[name])
        assert tags.of("consent-form") == [{"form": form}]
        assert tags.of("a") == [{"href": f"{base}/f/{form}"}]
    assert Tags(found["element"]).of("script")[0]["src"] == f"{base}/embed.js"
    [script] = Tags(found["pinned"]).of("script")
    version = re.fullmatch(rf"{base}/embed/([\d.]+)\.js", script["src"] or "")
    assert version
    digest = sha384((EMBED / f"{version[1]}.js").read_bytes()).digest()
    assert script["integrity"] == f"sha384-{b64encode(digest).decode()}"
    [frame] = Tags(found["iframe"]).of("iframe")
    assert frame["src"] == f"{base}/f/{form}/embed"
    assert frame["title"] == 'Sign up with The "Shop" & Co'
    plain = Tags(found["html"])
    assert plain.of("form")[0]["action"] == f"{base}/f/{form}"
    assert [each["name"] for each in plain.of("input")] == ["email", "first_name", "purpose"]
    assert plain.of("input")[-1]["value"] == purpose
    assert not any("checked" in attributes for _, attributes in plain.found)
    assert not plain.of("b")
    assert f"{base}/api/v1/consents" in found["curl"]
    assert purpose in found["curl"]
    # Once it is served, what is pasted is what is served: another draft's boxes nobody could post.
    alice.post(f"/forms/{form}:publish")
    command = shlex.split(found["curl"].replace("\\\n", ""))
    assert command[:2] == ["curl", f"{base}/api/v1/consents"]
    alice.post("/consents", json.loads(command[command.index("-d") + 1]), 202)
    alice.put(f"/forms/{form}", {**body, "wordings": []})
    assert alice.get(f"/forms/{form}/snippets") == found


def test_a_draft_is_previewed_and_posts_nowhere(alice: Caller, charlie: Caller) -> None:
    made = alice.form(fields=[{"name": "email", "required": True}, {"name": "name"}])
    draft = german_draft(alice, made)
    unpublished = wording(made.sender, made.purpose, language="de", statement="Ja, bitte.")
    text = alice.post("/wordings", unpublished, 201)["id"]
    other = alice.post("/forms", {**draft, "wordings": [text]}, 201)["id"]
    for form, language, says in (
        (made.form, "en", "This is a preview"),
        (other, "de", "Dies ist eine Vorschau"),
    ):
        page = alice.call("GET", f"/forms/{form}/preview")
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert page.headers["Content-Language"] == language
        assert says in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        tags = Tags(page.text)
        assert not tags.of("form")
        assert [each.get("name") for each in tags.of("input")][-1] == "purpose"
        assert not {"token", "website"} & {each.get("name") for each in tags.of("input")}
        assert not any("checked" in attributes for _, attributes in tags.found)
        [button] = tags.of("button")
        assert button["type"] == "button"
        assert "disabled" in button
    assert "does not name the controller Alpenkraut Versand GmbH" in page.text
    assert "fields: not the same as the first form" in page.text
    assert "preview" not in alice.call("GET", f"/forms/{made.form}").text
    assert charlie.call("GET", f"/forms/{made.form}/preview").status_code == 404
