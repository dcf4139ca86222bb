"""Stopping by address, for people whose link is broken: the same for every address."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from consentledger.db.installation import Installation
from consentledger.stops.models import StopRequest
from tests.web import acts
from tests.web.test_sign_up import BAD_ADDRESSES
from tests.web.town import Shop, open_shop


def sender_of(client: FlaskClient, shop: Shop) -> str:
    values = re.findall(r'<option value="([^"]+)"', client.get("/stop").text)
    return next(value for value in values if value == f"{shop.number}-{shop.sender_id.hex}")


def stop_token(installation: Installation, shop: Shop) -> str:
    query = select(StopRequest.link_id).where(StopRequest.organisation_id == shop.organisation_id)
    with installation.database.read() as session:
        own = session.scalars(query).all()[-1]
    return installation.tokens.make("stop", shop.number.to_bytes(4, "big") + bytes(own)[-8:])


def test_a_stop_by_address_pauses_at_once_and_its_link_makes_it_final(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    acts.press(client, acts.confirm_token(installation, client, shop))
    assert acts.allowed(installation, shop)
    sender = sender_of(client, shop)
    answer = client.post("/stop", data={"email": acts.MARIA, "sender": sender})
    assert answer.status_code == 200
    assert "Paused from now on" in answer.text
    assert acts.MARIA not in answer.text
    assert not acts.allowed(installation, shop)
    token = stop_token(installation, shop)
    before = acts.size_of(installation, shop)
    assert "Make the stop final" in client.get(f"/stop/{token}").text
    assert acts.size_of(installation, shop) == before
    done = client.post(f"/stop/{token}")
    assert done.status_code == 200
    assert "kind objection.recorded/1" in done.text
    assert acts.size_of(installation, shop) == before + 1
    again = client.post(f"/stop/{token}")
    assert again.status_code == 200
    assert "kind objection.recorded" not in again.text
    assert acts.size_of(installation, shop) == before + 1


def test_known_and_unknown_addresses_get_the_same_bytes_by_the_same_statements(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    sender = sender_of(client, shop)
    for email in ("warm@example.org", acts.MARIA):
        client.post("/stop", data={"email": email, "sender": sender})
    answers, ran = [], []
    for email in (acts.MARIA, "never@example.org"):
        with acts.statements(installation) as seen:
            answers.append(client.post("/stop", data={"email": email, "sender": sender}))
        ran.append(list(seen))
    assert answers[0].data == answers[1].data
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert ran[0] == ran[1]


@pytest.mark.parametrize("name", ["none", "255", "two_at", "lf", "nul", "quoted"])
def test_a_bad_address_is_named(
    installation: Installation, client: FlaskClient, shop: Shop, name: str
) -> None:
    before = acts.size_of(installation, shop)
    data = {"email": BAD_ADDRESSES[name], "sender": sender_of(client, shop)}
    answer = client.post("/stop", data=data)
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert acts.size_of(installation, shop) == before


@pytest.mark.parametrize("sender", ["", "x", "1-" + "0" * 32, "٣-" + "0" * 32, "9" * 40, "1-x"])
def test_a_sender_must_be_chosen(client: FlaskClient, shop: Shop, sender: str) -> None:
    answer = client.post("/stop", data={"email": acts.MARIA, "sender": sender})
    assert answer.status_code == 422
    assert 'id="sender-error"' in answer.text


def test_a_sender_is_found_under_its_own_organisation_only(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    other = open_shop(installation, "Charlie")
    mixed = f"{other.number}-{shop.sender_id.hex}"
    assert client.post("/stop", data={"email": acts.MARIA, "sender": mixed}).status_code == 422


def test_strangers_may_stop_only_so_many(app: Flask, client: FlaskClient, shop: Shop) -> None:
    sender = sender_of(client, shop)
    answers = [
        client.post("/stop", data={"email": f"p{n}@example.org", "sender": sender}).status_code
        for n in range(31)
    ]
    assert answers == [200] * 30 + [429]


def test_a_broken_stop_link_is_404(client: FlaskClient, shop: Shop) -> None:
    for path in ("/stop/x", "/stop/" + "A" * 16 + "." + "A" * 16):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code == 404
