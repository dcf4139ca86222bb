"""Webhooks by API: added, listed, tested, rotated, deleted; another organisation's are not there."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from consentledger.db.installation import Installation
from tests.support.mails import waiting
from tests.web.api.caller import Caller

GOOD: dict[str, Any] = {"url": "https://crm.example/hook", "events": ["contact.erased"]}


def test_a_webhook_from_first_to_last(
    installation: Installation, alice: Caller, charlie: Caller
) -> None:
    charlie.post("/webhooks", GOOD, 201)
    made = alice.post("/webhooks", GOOD, 201)
    assert made["secret"].startswith("whsec_")
    listed = alice.call("GET", "/webhooks")
    (found,) = listed.get_json()["items"]
    assert (found["id"], found["state"], found["last_error"]) == (made["id"], "live", None)
    assert b"whsec" not in listed.data
    rotated = alice.post(f"/webhooks/{made['id']}:rotate", {"overlap_hours": 0})
    assert rotated["secret"] != made["secret"]
    assert alice.post(f"/webhooks/{made['id']}:rotate")["secret"] != rotated["secret"]
    queued = alice.post(f"/webhooks/{made['id']}:test", None, 202)
    assert queued["message_id"].startswith("msg_")
    assert waiting(installation) == 1
    assert alice.call("DELETE", f"/webhooks/{made['id']}").status_code == 200
    assert alice.get("/webhooks")["items"] == []
    assert alice.call("DELETE", f"/webhooks/{made['id']}").status_code == 404


def test_another_organisations_webhook_is_not_there(alice: Caller, charlie: Caller) -> None:
    made = alice.post("/webhooks", GOOD, 201)
    for which in (made["id"], str(uuid4())):
        for method, path in (("POST", ":rotate"), ("POST", ":test"), ("DELETE", "")):
            assert charlie.call(method, f"/webhooks/{which}{path}").status_code == 404
    assert charlie.get("/webhooks")["items"] == []
    assert len(alice.get("/webhooks")["items"]) == 1


def test_a_key_without_the_scope_may_not(bob: Caller) -> None:
    assert bob.call("GET", "/webhooks").status_code == 403
    assert bob.call("POST", "/webhooks", GOOD).status_code == 403


REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"url": "http://crm.example/"}, "url", "scheme"),
    ({"url": "https://169.254.169.254/"}, "url", "private"),
    ({"url": "https://a:b@crm.example/"}, "url", "format"),
    ({"url": 7}, "url", "type"),
    ({"events": []}, "events", "missing"),
    ({"events": ["contact.created"]}, "events", "unknown"),
    ({"secret": "whsec_x"}, "secret", "unknown"),
)


def test_refusals_name_field_and_reason(alice: Caller) -> None:
    for changed, field, reason in REFUSED:
        problem = alice.post("/webhooks", {**GOOD, **changed}, 422)
        assert [(each["field"], each["reason"]) for each in problem["errors"]] == [(field, reason)]
    assert alice.get("/webhooks")["items"] == []


def test_an_overlap_is_a_number_of_hours(alice: Caller) -> None:
    made = alice.post("/webhooks", GOOD, 201)
    for hours in (-1, 169, 1.5, "24", True):
        answer = alice.call("POST", f"/webhooks/{made['id']}:rotate", {"overlap_hours": hours})
        assert answer.status_code == 422, hours


def test_a_repeated_request_adds_one_webhook(alice: Caller) -> None:
    first = alice.post("/webhooks", GOOD, 201, Idempotency_Key="once")
    assert alice.post("/webhooks", GOOD, 201, Idempotency_Key="once") == first
    assert len(alice.get("/webhooks")["items"]) == 1
