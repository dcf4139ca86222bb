"""Promise 4 on everything that a form answers: alike for known, confirmed, stopped, erased and unknown addresses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.limits.rules import FORM_PRESSURE
from consentledger.limits.service import Post
from consentledger.web.services import NAME
from tests.support.erasures import erase
from tests.web import acts
from tests.web.acts import fields, size_of, statements
from tests.web.town import ORIGIN, Shop

PENDING, CONFIRMED, STOPPED, ERASED, NEVER = (
    f"{name}@example.org" for name in ("pend", "conf", "stop", "gone", "none")
)
EVERYBODY = (PENDING, CONFIRMED, STOPPED, ERASED, NEVER)
# What a post must be like for each answer; the one that makes everybody known comes last.
ANSWERS: dict[str, dict[str, Any]] = {
    "no token": {"token": ""},
    "stale": {"token": "x"},
    "filled": {"website": "x"},
    "changed": {"version": "7"},
    "other hash": {"hash": "x"},
    "no box": {"purpose": []},
    "taken": {},
}


@pytest.fixture
def known(installation: Installation, client: FlaskClient, shop: Shop) -> Shop:
    """The shop, which has met everybody but one."""
    for email in (CONFIRMED, STOPPED, ERASED):
        acts.press(client, acts.confirm_token(installation, client, shop, email))
    token = acts.unsubscribe_token(installation, shop, STOPPED)
    assert client.post(f"/u/{token}", data={"act": "organisation"}).status_code == 200
    erase(installation, shop.organisation_id, ERASED)
    acts.confirm_token(installation, client, shop, PENDING)
    return shop


def told(client: FlaskClient, shop: Shop, email: str, more: dict[str, Any]) -> tuple[object, ...]:
    """Everything that a stranger sees of both kinds of answer; a page's own token is as long as any."""
    page = client.post(shop.form, data=fields(shop, email, **more))
    listed = {"Origin": ORIGIN}
    problem = client.post(
        shop.form, json=fields(shop, email, origin=ORIGIN, **more), headers=listed
    )
    return (
        page.status_code,
        len(page.data),
        sorted(page.headers),
        problem.status_code,
        problem.data,
        dict(problem.headers),
    )


def test_no_answer_tells_who_is_known(
    client: FlaskClient, known: Shop, installation: Installation
) -> None:
    for name, more in ANSWERS.items():
        seen, ran, grown = [], [], []
        for email in EVERYBODY:
            before = size_of(installation, known)
            with statements(installation) as sent:
                seen.append(told(client, known, email, more))
            ran.append(list(sent))
            grown.append(size_of(installation, known) - before)
        assert all(one == seen[0] for one in seen), name
        assert all(one == ran[0] for one in ran), name
        assert set(grown) == ({2} if name == "taken" else {0}), name


def test_under_pressure_everybody_works_and_waits_alike(
    app: Flask, client: FlaskClient, known: Shop, installation: Installation
) -> None:
    limiter = app.extensions[NAME].limiter
    for n in range(FORM_PRESSURE[0] + 1):
        remote, address = f"10.{n}.0.1", f"{n}@people.example"
        limiter.count_post(Post(remote, address, known.form_id, known.organisation_id, None))
    before = size_of(installation, known)
    seen, ran = [], []
    listed = {"Origin": ORIGIN}
    for email in EVERYBODY:
        body = fields(known, email, origin=ORIGIN)
        with statements(installation) as sent:
            page = client.post(known.form, data=body, headers=listed)
            problem = client.post(known.form, json=body, headers=listed)
        assert page.status_code == problem.status_code == 422
        seen.append((len(page.data), len(problem.data), sorted(page.headers)))
        ran.append(list(sent))
    assert len({one[:2] for one in seen}) == 1
    assert all(one == ran[0] for one in ran)
    assert size_of(installation, known) == before
