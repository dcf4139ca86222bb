"""When the log can't be written: 503 with Retry-After on every act, and nothing was promised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from consentledger.app import create_app
from consentledger.db.installation import Installation, open_installation
from tests.web import acts
from tests.web.town import Shop


@contextmanager
def held(installation: Installation) -> Iterator[None]:
    """Hold the lock that every append needs, from another connection."""
    url = installation.database.url
    engine = create_engine(url)
    with engine.connect() as other:
        if installation.database.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            other.execute(text("LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE"))
        yield
        other.rollback()
    engine.dispose()


@pytest.fixture
def hasty(installation: Installation) -> Iterator[FlaskClient]:
    """A client of an app that waits a moment for a lock, not ten seconds."""
    settings = replace(installation.settings, lock_timeout_seconds=0.2)
    opened = open_installation(settings)
    yield create_app(settings, opened).test_client(use_cookies=False)
    opened.database.close()


def test_every_act_is_503_while_the_log_is_locked_and_works_after(
    installation: Installation, client: FlaskClient, hasty: FlaskClient, shop: Shop
) -> None:
    confirm = acts.confirm_token(installation, client, shop)
    page = client.get(f"/c/{confirm}").text
    (item,) = re.findall(r'name="shown"\s+value="([^"]+)"', page)
    unsubscribe = acts.unsubscribe_token(installation, shop)
    sender = f"{shop.number}-{shop.sender_id.hex}"
    posts: dict[str, dict[str, Any]] = {
        shop.form: acts.fields(shop, "other@example.org"),
        f"/c/{confirm}": {"shown": item, f"choice.{item}": "keep"},
        f"/u/{unsubscribe}": {"List-Unsubscribe": "One-Click"},
        "/stop": {"email": acts.MARIA, "sender": sender},
    }
    before = acts.size_of(installation, shop)
    with held(installation):
        for path, data in posts.items():
            answer = hasty.post(path, data=data)
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
            assert "Not at this moment" in answer.text
    assert acts.size_of(installation, shop) == before
    for path, data in posts.items():
        assert client.post(path, data=data).status_code == 200, path


def test_a_link_that_expired_says_so_and_not_me_still_works(
    installation: Installation, client: FlaskClient, shop: Shop
) -> None:
    import time_machine

    from consentledger.kernel.clock import now

    token = acts.confirm_token(installation, client, shop)
    page = client.get(f"/c/{token}").text
    (item,) = re.findall(r'name="shown"\s+value="([^"]+)"', page)
    start = now()
    with time_machine.travel(start, tick=False) as moment:
        moment.shift(8 * 86400)
        before = acts.size_of(installation, shop)
        for answer in (
            client.get(f"/c/{token}"),
            client.post(f"/c/{token}", data={"shown": item, f"choice.{item}": "keep"}),
        ):
            assert answer.status_code == 410
            assert "This link has expired" in answer.text
            assert "This was not me" in answer.text
        assert acts.size_of(installation, shop) == before
        declined = client.post(f"/c/{token}/not-me")
        assert declined.status_code == 200
        assert "Thank you for telling us" in declined.text
        moment.shift(90 * 86400)
        late = client.post(f"/c/{token}/not-me")
        assert late.status_code in (200, 410)


def test_no_token_and_no_address_gets_into_the_log_lines(
    installation: Installation,
    client: FlaskClient,
    shop: Shop,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    confirm = acts.confirm_token(installation, client, shop)
    unsubscribe = acts.unsubscribe_token(installation, shop)
    for token, kind in ((confirm, "c"), (unsubscribe, "u"), (confirm, "u"), (confirm, "r")):
        client.get(f"/{kind}/{token}?email={acts.MARIA}")
        client.post(f"/{kind}/{token}", data={"email": acts.MARIA})
    client.post("/stop", data={"email": acts.MARIA, "sender": "x"})
    written = "".join(capfd.readouterr()) + caplog.text
    assert "route=/c/<token>" in written
    for secret in (confirm, unsubscribe, confirm[:16], unsubscribe[17:], acts.MARIA, "maria"):
        assert secret not in written
