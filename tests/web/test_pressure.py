"""A form under pressure: scripts pay by work, people without one by a short wait, and nobody gets in for nothing."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import Any

import altcha
import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.limits.form_tokens import AGAIN, WAITING, FormTokens
from consentledger.limits.rules import FORM_PRESSURE, IP, WAITING_IP
from consentledger.limits.service import Post
from consentledger.web.services import NAME
from tests.web.acts import MARIA, fields, size_of, statements
from tests.web.test_once_more import inputs
from tests.web.town import ORIGIN, Shop

HEADERS = {"Origin": ORIGIN}


@pytest.fixture
def tokens(installation: Installation) -> FormTokens:
    return FormTokens(installation.settings.secrets.secret_keys)


@pytest.fixture
def pressed(app: Flask, shop: Shop) -> Shop:
    """The shop's form after as many posts of others as make the first level of pressure."""
    limiter = app.extensions[NAME].limiter
    for n in range(FORM_PRESSURE[0] + 1):
        remote, address = f"10.{n}.0.1", f"{n}@people.example"
        limiter.count_post(Post(remote, address, shop.form_id, shop.organisation_id, None))
    return shop


def solved(challenge: dict[str, Any]) -> str:
    """The solution of a challenge, as a script posts it."""
    made = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(made)
    assert solution is not None
    payload = altcha.Payload(made, solution).to_dict()
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_a_script_is_given_a_challenge_and_gets_in_with_its_solution_once(
    client: FlaskClient, pressed: Shop, installation: Installation
) -> None:
    before = size_of(installation, pressed)
    body = fields(pressed, origin=ORIGIN)
    asked = client.post(pressed.form, json=body, headers=HEADERS)
    assert asked.status_code == 422
    assert asked.mimetype == "application/problem+json"
    assert asked.json["errors"] == [
        {
            "field": "work",
            "reason": "required",
            "detail": "solve the challenge, or wait and post again",
        }
    ]
    assert asked.json["work"]["level"] == 1
    assert size_of(installation, pressed) == before
    work = solved(asked.json["work"]["challenge"])
    other = fields(pressed, "other@example.org", origin=ORIGIN)
    stolen = client.post(pressed.form, json={**other, "work": work}, headers=HEADERS)
    assert (stolen.status_code, stolen.json["errors"][0]["field"]) == (422, "work")
    paid = client.post(pressed.form, json={**body, "work": work}, headers=HEADERS)
    assert paid.status_code == 202
    again = client.post(pressed.form, json={**body, "work": work}, headers=HEADERS)
    assert (again.status_code, again.json["errors"][0]["reason"]) == (422, "stale")
    assert size_of(installation, pressed) == before + 1


def test_form_json_brings_the_challenge_along_so_that_the_first_post_is_taken(
    client: FlaskClient, pressed: Shop, app: Flask, tokens: FormTokens
) -> None:
    served = client.get(f"{pressed.form}/form.json", headers=HEADERS).json
    assert served["work"]["level"] == 1
    data = served["work"]["challenge"]["parameters"]["data"]
    assert data == {"token": served["token"]}
    old = pressed.token(ORIGIN)
    challenge = app.extensions[NAME].work.challenge(old, 1, now())
    body = fields(pressed, token=old, work=solved(challenge))
    assert client.post(pressed.form, json=body, headers=HEADERS).status_code == 202


@pytest.mark.parametrize(
    "work", ["x", "e30=", base64.b64encode(b'{"challenge":[]}').decode(), "A" * 3000]
)
def test_what_is_no_solution_counts_as_none(
    client: FlaskClient, pressed: Shop, installation: Installation, work: str
) -> None:
    before = size_of(installation, pressed)
    body = fields(pressed, origin=ORIGIN, work=work)
    answer = client.post(pressed.form, json=body, headers=HEADERS)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "work")
    assert size_of(installation, pressed) == before


def test_a_person_without_a_script_waits_a_little_and_keeps_what_was_filled_in(
    client: FlaskClient, pressed: Shop, installation: Installation, tokens: FormTokens
) -> None:
    before = size_of(installation, pressed)
    opened = now()
    quick = tokens.make(pressed.form_id, 1, now=opened + timedelta(seconds=4), step=AGAIN)
    data = fields(pressed, token=quick, name="Maria", source="hosted")
    page = client.post(pressed.form, data=data)
    assert page.status_code == 422
    left = int(page.headers["Retry-After"])
    assert 1 <= left <= 15
    assert page.text.count("One moment, please") == 2
    assert re.search(rf"wait {left} seconds|wait one second", page.text)
    # It was ticked on our own page, by this person.
    assert page.text.count("checked") == 1
    again = inputs(page.text)
    assert (again["email"], again["name"]) == (MARIA, "Maria")
    waiting = tokens.read(again["token"])
    given = tokens.read(quick)
    assert waiting is not None
    assert given is not None
    assert (waiting.step, waiting.issued_at) == (WAITING, given.issued_at)
    assert size_of(installation, pressed) == before
    ripe = tokens.make(pressed.form_id, 1, now=opened - timedelta(seconds=11), step=WAITING)
    done = client.post(pressed.form, data=fields(pressed, token=ripe))
    assert done.status_code == 200
    assert size_of(installation, pressed) == before + 1


def test_pressing_too_early_costs_nobody_their_place(
    client: FlaskClient, pressed: Shop, tokens: FormTokens
) -> None:
    token = tokens.make(pressed.form_id, 1, now=now() + timedelta(seconds=4), step=WAITING)
    started = tokens.read(token)
    assert started is not None
    data = fields(pressed, token=token)
    for _ in range(3):
        page = client.post(pressed.form, data=data)
        assert page.status_code == 422
        data["token"] = inputs(page.text)["token"]
        read = tokens.read(data["token"])
        assert read is not None
        assert read.issued_at == started.issued_at
        assert read.nonce != started.nonce


def test_whoever_took_their_time_over_our_page_is_never_asked_to_wait(
    client: FlaskClient, pressed: Shop
) -> None:
    assert client.post(pressed.form, data=fields(pressed)).status_code == 200


def test_another_sites_page_cannot_have_waited_for_us(client: FlaskClient, pressed: Shop) -> None:
    page = client.post(pressed.form, data=fields(pressed, origin=ORIGIN), headers=HEADERS)
    assert page.status_code == 422
    assert page.headers["Retry-After"] == "10"
    assert "checked" not in page.text
    assert "wait 10 seconds" in page.text


def test_who_has_no_turn_left_is_told_when_and_nothing_is_recorded(
    client: FlaskClient, pressed: Shop, installation: Installation
) -> None:
    def press(n: int) -> Any:
        over = {"REMOTE_ADDR": "203.0.113.5"}
        data = fields(pressed, f"p{n}@example.org")
        return client.post(pressed.form, data=data, environ_overrides=over)

    turns = WAITING_IP.count
    assert [press(n).status_code for n in range(turns)] == [200] * turns
    before = size_of(installation, pressed)
    page = press(turns)
    assert page.status_code == 422
    assert 1 <= int(page.headers["Retry-After"]) <= 600
    assert size_of(installation, pressed) == before


def test_who_is_over_the_limit_is_told_so_without_a_look_at_the_database(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    over = {"REMOTE_ADDR": "203.0.113.9"}
    for n in range(IP.count + 1):
        data = fields(shop, f"p{n}@example.org")
        client.post(shop.form, data=data, environ_overrides=over)
    before = size_of(installation, shop)
    with statements(installation) as seen:
        told = client.post(
            shop.form, json=fields(shop, origin=ORIGIN), headers=HEADERS, environ_overrides=over
        )
        frame = client.post(
            shop.form,
            data=fields(shop, source="iframe"),
            headers={"Sec-Fetch-Dest": "iframe"},
            environ_overrides=over,
        )
    assert seen == []
    assert told.status_code == frame.status_code == 429
    assert told.mimetype == "application/problem+json"
    assert 1 <= int(told.headers["Retry-After"]) <= IP.seconds
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in told.headers["Access-Control-Expose-Headers"]
    assert "Too many at once" in frame.text
    assert f"frame-ancestors {ORIGIN}" in frame.headers["Content-Security-Policy"]
    assert size_of(installation, shop) == before
