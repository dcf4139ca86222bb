"""The API's whole way: signed up by a server, mailed by a worker over SMTP, pressed, permitted, left."""

from __future__ import annotations

import re

from flask import Flask

from consentledger.db.installation import Installation
from tests.support.mails import entries, work_off
from tests.support.smtp import SmtpPeer
from tests.web.api.caller import Caller, Made

KIM = "kim@people.example"
BASE = "https://consent.test"


def link_in(smtp: SmtpPeer) -> str:
    """The one link to confirm, from the mail's text as it came over the wire."""
    [letter] = smtp.messages
    body = letter.message.get_body(("plain",))
    assert body is not None
    # A token may end with "-", where no word ends: what may follow is said by what may not.
    links = re.findall(rf"{BASE}(/c/[\w.-]{{33}})(?![/\w.-])", body.get_content())
    [link] = set(links)
    return str(link)


def press(app: Flask, link: str) -> None:
    """Opens the link and presses the button, with what the page showed."""
    client = app.test_client(use_cookies=False)
    page = client.get(link).get_data(as_text=True)
    form = page[page.index("<form") : page.index("</form>")]
    fields = re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', form, re.S)
    answer = client.post(link, data=dict(fields))
    assert answer.status_code == 200, answer.get_data(as_text=True)


def state(caller: Caller) -> list[str]:
    """The states of the person's consents, as the API tells them."""
    found = caller.post("/contacts:status", {"address": KIM})
    return [each["state"] for each in found["consents"]]


def permit(caller: Caller, made: Made) -> dict[str, object]:
    """The decision about one message to the person."""
    message = {"sender": made.sender, "purpose": made.purpose, "channel": "email"}
    [row] = caller.post("/permits", {**message, "recipients": [KIM]})["permits"]
    return dict(row)


def test_a_servers_sign_up_becomes_a_consent_only_by_the_persons_press(
    installation: Installation, app: Flask, alice: Caller, smtp: SmtpPeer
) -> None:
    made = alice.form()
    body = {"form": made.form, "address": KIM, "purposes": [made.purpose]}
    alice.post("/consents", body, 202)
    assert state(alice) == ["requested"]
    assert permit(alice, made)["allowed"] is False
    work_off(installation)
    link = link_in(smtp)
    assert state(alice) == ["requested"]
    press(app, link)
    assert state(alice) == ["confirmed"]
    allowed = permit(alice, made)
    assert (allowed["allowed"], allowed["basis"]) == (True, "consent")
    leave = str(allowed["unsubscribe_url"]).removeprefix(BASE)
    one_click = {"List-Unsubscribe": "One-Click"}
    assert app.test_client().post(leave, data=one_click).status_code == 200
    assert state(alice) == ["withdrawn"]
    assert permit(alice, made)["allowed"] is False
    [dead] = alice.post("/permits:recheck", {"permits": [allowed["permit"]]})["dead"]
    assert dead["reason"] == "stopped"
    organisation_id = alice.member.organisation_id
    [asked] = entries(installation.database, organisation_id, "consent.requested")
    assert (asked.values["method"], asked.values["source"]) == ("api", "api")
    assert asked.values["actor"] == f"key:{alice.member.key.key_id}"
    [confirmed] = entries(installation.database, organisation_id, "consent.confirmed")
    assert (confirmed.values["method"], confirmed.values["actor"]) == ("press", "person")
    assert alice.call("POST", "/evidence", {"address": KIM}).status_code == 200


def test_a_stop_by_api_beats_a_consent_and_a_new_press_opens_again(
    installation: Installation, app: Flask, alice: Caller, smtp: SmtpPeer
) -> None:
    made = alice.form()
    body = {"form": made.form, "address": KIM, "purposes": [made.purpose]}
    alice.post("/consents", body, 202)
    work_off(installation)
    press(app, link_in(smtp))
    stop = {"address": KIM, "sender": made.sender, "purpose": made.purpose}
    alice.post("/withdrawals", stop, 201)
    assert state(alice) == ["withdrawn"]
    assert permit(alice, made)["allowed"] is False
    smtp.messages.clear()
    alice.post("/consents", body, 202)
    assert permit(alice, made)["allowed"] is False
    work_off(installation)
    press(app, link_in(smtp))
    assert permit(alice, made)["allowed"] is True
