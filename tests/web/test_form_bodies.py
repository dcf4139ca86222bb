"""Bodies and origins that no honest page sends: each is refused quickly, and nothing is appended or told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from consentledger.db.installation import Installation
from consentledger.organisations import service
from consentledger.organisations.pausing import PauseForm, pause_form
from tests.web.acts import fields, size_of
from tests.web.test_once_more import SAYS_AGAIN, inputs
from tests.web.town import ORIGIN, Shop, open_shop

JSON = {"Content-Type": "application/json"}
MEGABYTES = 10 * 1024 * 1024


class Endless(io.RawIOBase):
    """A body that never ends of itself: counts what is read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        view[:] = b"a" * len(view)
        self.taken += len(view)
        return len(view)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_of_ten_megabytes_is_refused_and_not_read(
    app: Flask, shop: Shop, installation: Installation, kind: str
) -> None:
    before = size_of(installation, shop)
    headers = {"Origin": ORIGIN, "Accept": "application/json", "Content-Type": kind}
    named, chunked = Endless(), Endless()
    for body, framing in (
        (named, {"CONTENT_LENGTH": str(MEGABYTES)}),
        (chunked, {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}),
    ):
        environ = EnvironBuilder(shop.form, method="POST", headers=headers).get_environ()
        environ.pop("CONTENT_LENGTH", None)
        answer = Response.from_app(app, environ | {"wsgi.input": body, **framing})
        assert answer.status_code == 413
        assert answer.json is not None
        assert answer.json["type"] == "urn:consentledger:problem:too_large"
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert named.taken == 0
    assert chunked.taken <= 128 * 1024
    assert size_of(installation, shop) == before


def test_values_of_other_kinds_are_refused_by_name(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    before = size_of(installation, shop)
    for name in ("email", "token", "version", "hash", "website", "work", "source", "page", "name"):
        for value in ({}, [], ["x"], True, 1.5):
            body = fields(shop, origin=ORIGIN, **{name: value})
            answer = client.post(shop.form, json=body, headers={"Origin": ORIGIN})
            assert answer.status_code == 422, (name, value)
            assert answer.json["errors"][0] == {
                "field": name,
                "reason": "type",
                "detail": f"{name} must be text",
            }
    for name in ("email", "token", "version", "website", "purpose", "work"):
        value = json.dumps(fields(shop, origin=ORIGIN))[1:-1]
        body = f'{{"{name}": "x", {value}, "{name}": "x"}}'
        answer = client.post(
            shop.form, data=body, content_type="application/json", headers={"Origin": ORIGIN}
        )
        assert (answer.status_code, answer.json["errors"][0]["reason"]) == (400, "duplicate_key")
    assert size_of(installation, shop) == before


def test_an_origin_is_held_against_the_list_letter_by_letter(
    installation: Installation, app: Flask
) -> None:
    listed = ("https://münchen.example", "https://shop.example:8443", "https://www.shop.example")
    shop = open_shop(installation, "Alpenkraut", origins=listed, returns=())
    client, before = app.test_client(use_cookies=False), size_of(installation, shop)
    sent = (
        "https://xn--mnchen-3ya.example",
        "https://shop.example:8443",
        "https://www.shop.example",
    )
    for n, origin in enumerate(sent):
        headers = {"Origin": origin}
        token = client.get(f"{shop.form}/form.json", headers=headers).json["token"]
        answer = client.post(
            shop.form,
            json=fields(shop, f"p{n}@example.org", origin=origin, source="element"),
            headers=headers,
        )
        assert len(token) == 76
        assert answer.status_code == 202
        assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert size_of(installation, shop) == before + len(sent)
    for origin in (
        "https://shop.example",
        "https://shop.example:8444",
        "http://shop.example:8443",
        "https://evil.www.shop.example",
        "https://www.shop.example.",
        "https://WWW.shop.example",
        "https://www.shop.example/",
        "https://m\u00fcnchen.example".encode().decode("latin-1"),
        "https://munchen.example",
        "file://",
        "",
    ):
        answer = client.post(
            shop.form, json=fields(shop, origin=origin), headers={"Origin": origin}
        )
        assert answer.status_code == 403, origin
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert size_of(installation, shop) == before + len(sent)


def test_a_page_without_an_origin_of_its_own_leads_to_one_more_press_on_ours(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    """So does a browser under `Referrer-Policy: no-referrer`: what was typed must not be lost."""
    before = size_of(installation, shop)
    for body in (fields(shop), fields(shop, origin="null")):
        page = client.post(shop.form, data=body, headers={"Origin": "null"})
        assert page.status_code == 422
        assert SAYS_AGAIN in page.text
        assert inputs(page.text)["email"] == "maria@example.org"
        assert "checked" not in page.text
        told = client.post(shop.form, json=body, headers={"Origin": "null"})
        assert told.status_code == 403
        assert told.json["type"] == "urn:consentledger:problem:forbidden"
    assert size_of(installation, shop) == before


def test_a_form_that_was_taken_down_while_it_was_open_is_gone_for_every_page(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    body = fields(shop, origin=ORIGIN)
    with installation.database.begin() as tx:
        service.unpublish_form(tx, service.PublishForm(shop.organisation_id, shop.form_id, "test"))
    before = size_of(installation, shop)
    answer = client.post(shop.form, json=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.post(shop.form, data=body, headers={"Origin": ORIGIN}).status_code == 404
    assert size_of(installation, shop) == before


def test_a_paused_form_says_so_wherever_it_is_shown_and_takes_nothing(
    client: FlaskClient, shop: Shop, installation: Installation
) -> None:
    bodies = [fields(shop), fields(shop, origin=ORIGIN)]
    pause = PauseForm(shop.organisation_id, shop.form_id, None, "unconfirmed", 61, 2)
    with installation.database.begin() as tx:
        assert pause_form(tx, pause, lambda _: None)
    before = size_of(installation, shop)
    own, listed = {"Sec-Fetch-Dest": "iframe"}, {"Origin": ORIGIN}
    pages = (
        client.get(shop.form),
        client.get(f"{shop.form}/embed"),
        client.post(shop.form, data={**bodies[0], "source": "iframe"}, headers=own),
        client.post(shop.form, data=bodies[1], headers=listed),
    )
    for page in pages:
        assert page.status_code == 409
        assert page.text.count("Closed for the moment") == 2
    for framed in pages[1:3]:
        assert f"frame-ancestors {ORIGIN}" in framed.headers["Content-Security-Policy"]
    as_json = {**listed, "Accept": "application/json"}
    for answer in (
        client.get(f"{shop.form}/form.json", headers=as_json),
        client.post(shop.form, json=bodies[1], headers=listed),
    ):
        assert answer.status_code == 409
        assert answer.json["type"] == "urn:consentledger:problem:paused"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.options(shop.form, headers=listed).status_code == 204
    assert size_of(installation, shop) == before


WORDS = st.text(max_size=80) | st.sampled_from(["a@b.example", "1", "hosted", "iframe", "element"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["email", "purpose", "version", "hash", "token", "source", "page", "return", "website", "work"]
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.dictionaries(NAMES, VALUES), origin=st.sampled_from([None, ORIGIN, "null"]))
def test_nothing_that_anybody_makes_up_is_taken(
    client: FlaskClient,
    shop: Shop,
    installation: Installation,
    body: dict[str, Any],
    origin: str | None,
) -> None:
    before = size_of(installation, shop)
    headers = {"Origin": origin} if origin else {}
    told = client.post(shop.form, data=json.dumps(body).encode(), headers=headers | JSON)
    assert told.status_code in (400, 403, 409, 422)
    assert told.mimetype == "application/problem+json"
    texts = {k: v for k, v in body.items() if isinstance(v, str)}
    page = client.post(shop.form, data=texts or {"x": "x"}, headers=headers)
    assert page.status_code in (400, 409, 422)
    assert page.mimetype == "text/html"
    assert size_of(installation, shop) == before
