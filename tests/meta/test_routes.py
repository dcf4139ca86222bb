"""Every route declares who may call it and is documented; every GET and HEAD leaves all as it was."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from consentledger.consents.models import ConfirmationMail
from consentledger.db.installation import Installation
from consentledger.db.tables import metadata
from consentledger.web.access import policy_of
from tests.support.apps import app_of
from tests.web import acts
from tests.web.town import open_shop

ROOT = Path(__file__).resolve().parents[2]
SOME_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
# How each capability's id is made is no matter here: any 12 bytes under a valid MAC get to the view.
CAPABILITIES = {"c": "confirm", "u": "unsubscribe", "r": "receipt", "stop": "stop"}


@pytest.fixture
def app(installation: Installation) -> Flask:
    return app_of(installation)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            yield rule


def _address(app: Flask, installation: Installation, rule: Rule, *, valid: bool) -> str:
    capability = CAPABILITIES.get(rule.rule.split("/")[1])
    token = "x" * 33
    if valid and capability:
        token = installation.tokens.make(capability, bytes(12))
    values: dict[str, Any] = {}
    for name in rule.arguments:
        converter = type(rule._converters[name]).__name__
        values[name] = {
            "UUIDConverter": SOME_ID,
            "IntegerConverter": 1,
            "UnicodeConverter": token,
            "PathConverter": "a/b",
        }[converter]
    built = rule.build(values)
    assert built is not None
    return str(built[1])


def _everything(installation: Installation, less: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return every row of every table but those in `less`."""
    with installation.database.read() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(select(table).order_by(*table.primary_key)).all()
            ]
            for table in metadata().sorted_tables
            if table.name not in less
        }


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [
        rule.rule for rule in _rules(app) if policy_of(app.view_functions[rule.endpoint]) is None
    ]
    assert not undeclared


def test_every_capability_route_takes_a_token_and_no_other_does(app: Flask) -> None:
    for rule in _rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None
        assert (policy.kind == "capability") == ("token" in rule.arguments), rule.rule


def test_every_route_is_documented_and_no_other(app: Flask) -> None:
    documented = set(
        re.findall(r"`(?:[A-Z]+ )?(/[^`\s]*)`", (ROOT / "docs" / "api.md").read_text())
    )
    served = {re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", r.rule) for r in _rules(app)}
    plain = {re.sub(r"\{\w+\}", "{}", path) for path in documented}
    missing = {path for path in served if re.sub(r"\{\w+\}", "{}", path) not in plain}
    assert not missing


@pytest.mark.parametrize("valid", [True, False], ids=["valid MAC", "broken token"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_changes_nothing(
    app: Flask, client: FlaskClient, installation: Installation, method: str, valid: bool
) -> None:
    before = _everything(installation)
    for rule in _rules(app):
        if method in (rule.methods or ()):
            address = _address(app, installation, rule, valid=valid)
            answer = client.open(address, method=method)
            assert answer.status_code < 500, f"{method} {address}"
            assert "Set-Cookie" not in answer.headers, address
    assert _everything(installation) == before


def test_reading_real_links_changes_nothing(
    client: FlaskClient, installation: Installation
) -> None:
    shop = open_shop(installation, "Alpenkraut")
    pending = acts.confirm_token(installation, client, shop, "pia@example.org")
    confirmed = acts.confirm_token(installation, client, shop)
    assert acts.press(client, confirmed).status_code == 200
    used = acts.unsubscribe_token(installation, shop)
    assert client.post(f"/u/{used}").status_code == 200
    unused = acts.unsubscribe_token(installation, shop)
    size = acts.size_of(installation, shop)
    receipts = [
        installation.tokens.make("receipt", struct.pack(">IQ", shop.number, index))
        for index in range(size)
    ]
    links = [f"/c/{token}" for token in (pending, confirmed)]
    links += [f"/u/{token}" for token in (used, unused)]
    links += [f"/r/{token}{proof}" for token in receipts for proof in ("", "/proof")]
    links += [shop.form, f"{shop.form}/embed", "/stop", "/"]
    before = _everything(installation, less=("confirmation_mail",))
    for link in links:
        assert client.get(link).status_code in (200, 404), link
        assert client.head(link).status_code in (200, 404), link
    assert _everything(installation, less=("confirmation_mail",)) == before
    with installation.database.read() as session:
        # The one exception: how often a confirm link was fetched.
        fetches = session.scalars(select(ConfirmationMail.fetches)).all()
    assert sum(fetches) >= 2


def test_every_answer_to_a_link_is_private(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    for rule in _rules(app):
        if "token" not in rule.arguments or "GET" not in (rule.methods or ()):
            continue
        answer = client.get(_address(app, installation, rule, valid=True))
        assert answer.headers["Referrer-Policy"] == "no-referrer", rule.rule
        assert "no-store" in answer.headers["Cache-Control"], rule.rule
        assert "noindex" in answer.headers["X-Robots-Tag"], rule.rule
