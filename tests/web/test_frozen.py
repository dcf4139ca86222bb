"""A restored database under a running web: nothing may be sent, every stop is taken, and everything else waits."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from consentledger.organisations.service import OrganisationCreated
from consentledger.recovery.service import Recover, recover
from tests.factories import Member, create_key_of
from tests.support.restores import backup
from tests.web import acts
from tests.web.api.caller import Caller
from tests.web.town import Shop, open_shop

STRANGER = "nobody@example.net"


@pytest.fixture
def links(installation: Installation, client: FlaskClient, shop: Shop) -> dict[str, str]:
    """What Maria holds before the disaster: a confirm link that she used, and an unsubscribe link."""
    confirm = acts.confirm_token(installation, client, shop)
    acts.press(client, confirm)
    return {"confirm": confirm, "unsubscribe": acts.unsubscribe_token(installation, shop)}


@pytest.fixture
def restored(
    installation: Installation, client: FlaskClient, shop: Shop, links: dict[str, str]
) -> Iterator[None]:
    """The database is put back to a moment before its last signed entries, under the running web."""
    with backup(installation.database) as taken:
        client.post("/stop", data={"email": STRANGER, "sender": sender(shop)})
        installation.signer.sign_due()
        taken.restore()
        yield


@pytest.fixture
def api(installation: Installation, app: Flask, shop: Shop) -> Caller:
    made = OrganisationCreated(shop.organisation_id, shop.number, "", shop.origin, "", "")
    key = create_key_of(installation.database, shop.organisation_id)
    return Caller(app, Member(made, key))


def sender(shop: Shop) -> str:
    return f"{shop.number}-{shop.sender_id.hex}"


def kept(installation: Installation) -> list[dict[str, Any]]:
    return [dict(record.content) for record in installation.journal.pending("stop")]


def test_a_permit_that_was_valid_is_dead_while_frozen(
    installation: Installation, client: FlaskClient, shop: Shop, api: Caller, links: dict[str, str]
) -> None:
    link = installation.tokens.read("unsubscribe", links["unsubscribe"])
    assert link is not None
    permit = urlsafe_b64encode(link).decode()
    body = {
        "sender": str(shop.sender_id),
        "purpose": str(shop.offers),
        "channel": "email",
        "recipients": [acts.MARIA],
    }
    issued = api.post("/permits", body, Idempotency_Key="once")
    assert issued["allowed"] == 1
    assert api.post("/permits:recheck", {"permits": [permit]})["dead"] == []
    with backup(installation.database) as taken:
        client.post("/stop", data={"email": STRANGER, "sender": sender(shop)})
        installation.signer.sign_due()
        taken.restore()
        answer = api.post("/permits:recheck", {"permits": [permit]})
        assert answer["dead"] == [{"permit": permit, "reason": "log_frozen"}]
        assert api.get(f"/permits/{permit}")["state"] == "log_frozen"
        refused = api.call("POST", "/permits", body)
        assert refused.status_code == 503
        assert refused.get_json()["type"].endswith(":log_frozen")
        assert int(refused.headers["Retry-After"]) > 0
        again = api.call("POST", "/permits", body, Idempotency_Key="once")
        assert again.status_code == 503, "the kept answer may be older than a stop"


@pytest.mark.usefixtures("restored")
def test_every_stop_is_kept_and_answered_alike(
    installation: Installation, client: FlaskClient, shop: Shop, links: dict[str, str]
) -> None:
    before = acts.size_of(installation, shop)
    unsubscribe, confirm = f"/u/{links['unsubscribe']}", f"/c/{links['confirm']}/not-me"
    lost = installation.tokens.make("stop", shop.number.to_bytes(4, "big") + b"\1" * 8)
    posts: list[tuple[str, dict[str, str]]] = [
        (unsubscribe, {"act": "purpose"}),
        (unsubscribe, {"act": "organisation"}),
        (confirm, {}),
        (f"/stop/{lost}", {}),  # asked after the backup: a restored database does not know it
        ("/stop", {"email": acts.MARIA, "sender": sender(shop)}),
        ("/stop", {"email": STRANGER, "sender": sender(shop)}),
    ]
    answers = [client.post(path, data=data) for path, data in posts]
    assert [answer.status_code for answer in answers] == [202] * len(posts)
    assert "Your stop is recorded" in answers[0].text
    assert len({answer.data for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.keys())) for answer in answers[4:]}) == 1
    assert acts.size_of(installation, shop) == before
    found = kept(installation)
    assert [one["act"] for one in found] == [
        "unsubscribe", "unsubscribe", "not_me", "stop_link", "stop_by_address", "stop_by_address",
    ]  # fmt: skip
    assert [one.get("scope") for one in found[:2]] == ["purpose", "organisation"]
    assert {one["organisation"] for one in found} == {str(shop.organisation_id)}
    assert [one["address"] for one in found[4:]] == [acts.MARIA, STRANGER]


def test_a_link_of_an_organisation_that_a_restored_database_lacks_still_stops(
    installation: Installation, client: FlaskClient
) -> None:
    """Not even its log is there, so nothing is frozen; whether the stop is whose shows when a later backup is."""
    token = installation.tokens.make("unsubscribe", b"\0\0\0\7" + b"\1" * 8)
    assert client.post(f"/u/{token}").status_code == 404
    with backup(installation.database) as before:
        shop = open_shop(installation, "Alpenkraut")
        acts.press(client, acts.confirm_token(installation, client, shop))
        link = acts.unsubscribe_token(installation, shop)
        installation.signer.sign_due()
        with backup(installation.database, "later") as after:
            before.restore()
            assert client.post(f"/u/{link}", data={"act": "purpose"}).status_code == 202
            assert kept(installation)[0]["organisation"] is None
            after.restore()
        outcome = recover(installation, Recover(shop.organisation_id))
        assert not outcome.frozen
        assert "1 stops of the journal were recorded." in outcome.said
        assert not acts.allowed(installation, shop)


@pytest.mark.usefixtures("restored")
def test_a_mail_programs_post_gets_a_short_text(
    installation: Installation, client: FlaskClient, links: dict[str, str]
) -> None:
    answer = client.post(f"/u/{links['unsubscribe']}", data="List-Unsubscribe=One-Click")
    assert answer.status_code == 202
    assert answer.mimetype == "text/plain"
    assert "takes effect now" in answer.text
    assert kept(installation)[0]["method"] == "one_click"


@pytest.mark.usefixtures("api", "restored")
def test_a_withdrawal_by_api_is_kept_whether_the_address_is_known_or_not(
    installation: Installation, shop: Shop, api: Caller
) -> None:
    answers = [
        api.call("POST", "/withdrawals", {"address": address, "sender": str(shop.sender_id)})
        for address in (acts.MARIA, STRANGER)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].get_json() == answers[1].get_json()
    assert answers[0].get_json()["state"] == "journalled"
    assert [one["address"] for one in kept(installation)] == [acts.MARIA, STRANGER]
    assert api.call("POST", "/withdrawals", {"address": "no address"}).status_code == 422
    assert len(kept(installation)) == 2


@pytest.mark.usefixtures("restored")
def test_everything_else_waits_and_pages_are_shown(
    client: FlaskClient, shop: Shop, links: dict[str, str]
) -> None:
    assert client.get(shop.form).status_code == 200
    assert client.get(f"/u/{links['unsubscribe']}").status_code == 200
    signed_up = client.post(shop.form, data=acts.fields(shop, "new@example.org"))
    assert signed_up.status_code == 503
    assert int(signed_up.headers["Retry-After"]) > 0
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "1 log(s) frozen" in ready.text


@pytest.mark.usefixtures("restored")
def test_a_stop_that_neither_log_nor_journal_takes_is_503_for_everybody(
    installation: Installation, client: FlaskClient, shop: Shop, links: dict[str, str]
) -> None:
    journal = Path(str(installation.settings.guard)) / "journal"
    journal.mkdir()  # a folder in its place: it can't be written, also not by root
    posts: list[tuple[str, dict[str, str]]] = [
        (f"/u/{links['unsubscribe']}", {"act": "purpose"}),
        ("/stop", {"email": acts.MARIA, "sender": sender(shop)}),
        ("/stop", {"email": STRANGER, "sender": sender(shop)}),
    ]
    answers = [client.post(path, data=data) for path, data in posts]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert answers[1].data == answers[2].data


def test_a_stop_behind_the_thaw_goes_into_the_log(
    installation: Installation, client: FlaskClient, shop: Shop, links: dict[str, str]
) -> None:
    """Between the refusal and the journal's lock a recovery may end: then the stop is simply done."""
    installation.watch.freeze(shop.origin, "looked odd")
    lines = installation.journal._lines.locked
    seen = []

    def thawed_first() -> Any:
        seen.append(1)
        installation.guard.thaw(shop.origin)
        return lines()

    installation.journal._lines.locked = thawed_first  # type: ignore[method-assign]
    answer = client.post(f"/u/{links['unsubscribe']}", data={"act": "purpose"})
    assert answer.status_code == 200
    assert seen
    assert kept(installation) == []
    assert not acts.allowed(installation, shop)
