"""A post that cannot be taken as it is: the form comes back for one more press, and nothing is appended before that."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.limits.form_tokens import AGAIN, FIRST, FormTokens
from consentledger.organisations import queries, service
from consentledger.organisations.address_policies import ChangeAddressPolicy, change_address_policy
from tests.web.acts import MARIA, fields, size_of
from tests.web.town import ORIGIN, OTHER_ORIGIN, Shop, open_shop

SAYS_AGAIN = "One more press, please"


@pytest.fixture
def tokens(installation: Installation) -> FormTokens:
    return FormTokens(installation.settings.secrets.secret_keys)


def inputs(page: str) -> dict[str, str]:
    """What a browser would post of a page's inputs, boxes aside."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = value[1] if value else ""
    return found


def test_a_pasted_form_without_a_script_leads_to_one_more_press(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    pasted = {
        "email": MARIA,
        "name": "Maria",
        "purpose": str(shop.offers),
        "return": f"{ORIGIN}/thanks",
    }
    page = client.post(shop.form, data=pasted, headers={"Origin": ORIGIN})
    assert page.status_code == 422
    assert page.text.count(SAYS_AGAIN) == 2
    assert "checked" not in page.text
    again = inputs(page.text)
    assert "website" not in again
    assert (again["email"], again["name"], again["source"]) == (MARIA, "Maria", "hosted")
    assert size_of(installation, shop) == before
    own = {"Origin": "https://consent.test"}
    without_a_box = client.post(shop.form, data=again, headers=own)
    assert without_a_box.status_code == 422
    assert 'id="purpose-error"' in without_a_box.text
    done = client.post(shop.form, data={**again, "purpose": str(shop.offers)}, headers=own)
    assert done.status_code == 200
    assert f'href="{ORIGIN}/thanks"' in done.text
    assert size_of(installation, shop) == before + 1


def refused_tokens(tokens: FormTokens, shop: Shop, other: Shop) -> dict[str, tuple[Any, str]]:
    """Tokens that a post from ORIGIN is not taken with, and what the answer calls it."""
    at, form = now() - timedelta(minutes=1), shop.form_id
    good = tokens.make(form, 1, now=at, origin=ORIGIN)
    foreign = FormTokens([b"another installation's key, 32 b"])
    return {
        "none": (None, "missing"),
        "empty": ("", "missing"),
        "number": (7, "stale"),
        "short": (good[:-1], "stale"),
        "long": (good + "A", "stale"),
        "changed": (("B" if good[0] == "A" else "A") + good[1:], "stale"),
        "not_ascii": ("ä" * 76, "stale"),
        "other_form": (tokens.make(other.form_id, 1, now=at, origin=ORIGIN), "stale"),
        "other_origin": (tokens.make(form, 1, now=at, origin=OTHER_ORIGIN), "stale"),
        "our_page": (tokens.make(form, 1, now=at), "stale"),
        "old": (tokens.make(form, 1, now=at - timedelta(hours=2), origin=ORIGIN), "stale"),
        "future": (tokens.make(form, 1, now=at + timedelta(hours=1), origin=ORIGIN), "stale"),
        "other_keys": (foreign.make(form, 1, now=at, origin=ORIGIN), "stale"),
        # Issued a moment ahead: however slow the machine, that is younger than 1.5 seconds.
        "too_fast": (
            tokens.make(form, 1, now=now() + timedelta(seconds=4), origin=ORIGIN),
            "too_fast",
        ),
    }


def test_a_script_is_told_why_its_token_is_not_taken_and_a_person_to_press_again(
    client: FlaskClient, shop: Shop, installation: Installation, tokens: FormTokens
) -> None:
    other = open_shop(installation, "Charlie")
    before = size_of(installation, shop)
    headers = {"Origin": ORIGIN}
    for name, (token, reason) in refused_tokens(tokens, shop, other).items():
        body = fields(shop, token=token)
        problem = client.post(shop.form, json=body, headers=headers)
        assert problem.status_code == 422, name
        assert problem.mimetype == "application/problem+json"
        assert problem.json["errors"][0]["field"] == "token"
        assert problem.json["errors"][0]["reason"] == reason, name
        assert problem.headers["Access-Control-Allow-Origin"] == ORIGIN
        posted = {key: value for key, value in body.items() if value is not None}
        page = client.post(shop.form, data=posted, headers=headers)
        assert page.status_code == 422, name
        assert SAYS_AGAIN in page.text
        assert "checked" not in page.text
    assert size_of(installation, shop) == before


def test_the_page_that_asks_again_carries_a_token_that_is_taken_at_once(
    client: FlaskClient, shop: Shop, tokens: FormTokens
) -> None:
    page = client.post(shop.form, data=fields(shop, token="x"), headers={"Origin": ORIGIN})
    read = tokens.read(inputs(page.text)["token"])
    assert read is not None
    assert read.step == AGAIN
    assert read.is_for(shop.form_id, 1, None)
    done = client.post(shop.form, data=inputs(page.text) | {"purpose": str(shop.tips)})
    assert done.status_code == 200


def test_a_robot_that_fills_every_field_gets_the_form_again_each_time(
    client: FlaskClient, shop: Shop, installation: Installation, tokens: FormTokens
) -> None:
    trap = inputs(client.get(shop.form).text)
    assert trap["website"] == ""
    before = size_of(installation, shop)
    for step in (FIRST, AGAIN):
        token = tokens.make(shop.form_id, 1, now=now() - timedelta(minutes=1), step=step)
        body = fields(shop, token=token, website="https://spam.example")
        page = client.post(shop.form, data=body)
        assert page.status_code == 422
        assert SAYS_AGAIN in page.text
        assert "spam.example" not in page.text
        problem = client.post(shop.form, json=body)
        assert problem.status_code == 422
        assert problem.json["errors"][0]["field"] == "website"
        assert problem.json["errors"][0]["reason"] == "filled"
    assert size_of(installation, shop) == before


def test_a_form_that_was_published_anew_meanwhile_is_shown_in_its_new_wording(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    opened = inputs(client.get(shop.form).text)
    with installation.database.read() as session:
        old_hash = queries.published_form(session, shop.form_id).text[1]
    with installation.database.begin() as tx:
        service.publish_form(tx, service.PublishForm(shop.organisation_id, shop.form_id, "test"))
    before = size_of(installation, shop)
    filled = {"email": MARIA, "purpose": str(shop.offers)}
    page = client.post(shop.form, data={**opened, **filled})
    assert page.status_code == 409
    assert page.text.count("This form has changed") == 2
    again = inputs(page.text)
    assert (again["version"], again["email"]) == ("2", MARIA)
    assert "checked" not in page.text
    old, new = shop.token(), shop.pages.token(shop.form_id, 2)
    for changed in (
        {"token": old},
        {"token": old, "version": 1},
        {"token": new, "version": 1},
        {"token": new, "version": "02"},
        {"token": new, "version": 2, "hash": old_hash},
        {"token": new, "hash": "x"},
    ):
        problem = client.post(shop.form, json={**filled, **changed})
        assert problem.status_code == 409, changed
        assert problem.json["type"] == "urn:consentledger:problem:form_changed"
    assert size_of(installation, shop) == before
    served = client.get(f"{shop.form}/form.json").json
    body = {**filled, "token": new, "version": served["version"], "hash": served["hash"]}
    assert client.post(shop.form, json=body).status_code == 202
    assert client.post(shop.form, data={**again, **filled}).status_code == 200
    assert size_of(installation, shop) == before + 2


def test_a_frame_stays_a_frame_when_it_asks_again(client: FlaskClient, shop: Shop) -> None:
    page = client.post(shop.form, data=fields(shop, token="x", source="iframe"))
    assert page.status_code == 422
    assert f"frame-ancestors {ORIGIN}" in page.headers["Content-Security-Policy"]
    assert inputs(page.text)["source"] == "iframe"


def test_a_return_address_that_is_not_listed_is_not_carried_along(
    client: FlaskClient, shop: Shop
) -> None:
    for elsewhere in ("https://evil.example/", "javascript:alert(1)", f"{ORIGIN}/other"):
        page = client.post(shop.form, data={"email": MARIA, "return": elsewhere})
        assert page.status_code == 422
        assert elsewhere not in page.text


def test_whoever_prefers_json_gets_json_whatever_was_posted(
    client: FlaskClient, shop: Shop
) -> None:
    prefers = {"Accept": "application/json"}
    asked = client.post(shop.form, data=fields(shop, token="x"), headers=prefers)
    assert (asked.status_code, asked.mimetype) == (422, "application/problem+json")
    wrong = client.post(shop.form, data=fields(shop, "x"), headers=prefers)
    assert wrong.json["errors"][0]["field"] == "email"
    taken = client.post(shop.form, data=fields(shop), headers=prefers)
    assert (taken.status_code, taken.json["status"]) == (202, "check_mail")


def test_kinds_of_addresses_that_the_organisation_refuses_are_named_kindly(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    command = ChangeAddressPolicy(shop.organisation_id, "test", "refuse", "refuse")
    with installation.database.begin() as tx:
        change_address_policy(tx, command)
    before = size_of(installation, shop)
    for email, reason, said in (
        ("maria@mailinator.com", "disposable", "throw-away address"),
        ("info@example.org", "role", "belongs to an office"),
    ):
        page = client.post(shop.form, data=fields(shop, email, source="hosted"))
        assert page.status_code == 422
        assert page.text.count(said) == 2
        assert page.text.count("checked") == 1
        problem = client.post(shop.form, json=fields(shop, email))
        assert problem.json["errors"][0]["reason"] == reason
    assert size_of(installation, shop) == before
