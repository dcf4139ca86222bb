"""How the API behaves whatever is asked: keys, scopes, strict JSON, repeats, its document."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from consentledger.accounts import idempotency
from consentledger.accounts.models import IdempotentAnswer
from consentledger.accounts.service import RevokeKey, revoke_key
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.clock import now
from consentledger.web.access import policy_of
from consentledger.worker.housekeeping import sweep_answers
from tests.web.api.caller import IDENTITY, Caller


def entries(installation: Installation, caller: Caller) -> int:
    with installation.database.read() as session:
        return int(
            session.scalar(
                select(LogHead.size).where(LogHead.organisation_id == caller.member.organisation_id)
            )
            or 0
        )


def test_without_a_good_key_nothing_is_told(app: Flask, alice: Caller) -> None:
    client = app.test_client()
    good = alice.member.key.token
    said = set()
    for header in (
        None,
        "",
        good,
        f"Basic {good}",
        f"Bearer {good[:-1]}",
        f"Bearer  {good}",
        "Bearer x",
    ):
        headers = {} if header is None else {"Authorization": header}
        # The body is not even read: a stranger learns nothing of what would be wrong with it.
        answer = client.post("/api/v1/senders", data=b"{", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        said.add(answer.data)
    assert len(said) == 1
    assert (
        client.get("/api/v1/senders", headers={"Authorization": f"bearer {good}"}).status_code
        == 200
    )


def test_a_revoked_key_is_refused_at_once(
    installation: Installation, bob: Caller, alice: Caller
) -> None:
    key = alice.member.key
    assert alice.call("GET", "/senders").status_code == 200
    with installation.database.begin() as tx:
        revoke_key(tx, RevokeKey(alice.member.organisation_id, key.key_id))
    assert alice.call("GET", "/senders").status_code == 401
    assert bob.call("GET", "/senders").status_code == 403


def test_every_route_declares_a_scope_and_refuses_a_key_without_it(app: Flask, bob: Caller) -> None:
    some = "00000000-0000-7000-8000-000000000000"
    seen = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/") or rule.endpoint == "api_document.openapi":
            continue
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None, rule
        assert policy.kind == "api", rule
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if policy.name == "permits:read":
                continue
            path = rule.rule.removeprefix("/api/v1")
            for name in rule.arguments:
                path = path.replace(f"<uuid:{name}>", some)
            assert bob.call(method, path, {}).status_code == 403, (method, path)
            seen += 1
    assert seen > 15


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field", "reason"),
    [
        (b"{", "application/json", 400, "body", "malformed"),
        (b"[]", "application/json", 400, "body", "malformed"),
        (b'{"name": NaN}', "application/json", 400, "body", "malformed"),
        (b'{"name": "a", "name": "b"}', "application/json", 400, "name", "duplicate_key"),
        (b"name=a", "application/x-www-form-urlencoded", 415, "Content-Type", "content_type"),
        (b"{}", "text/plain", 415, "Content-Type", "content_type"),
        (b"[" * 100_000, "application/json", 400, "body", "malformed"),
    ],
)
def test_bodies_are_read_strictly(
    app: Flask, alice: Caller, body: bytes, content_type: str, status: int, field: str, reason: str
) -> None:
    answer = app.test_client().post(
        "/api/v1/senders",
        data=body,
        headers={**alice.member.headers, "Content-Type": content_type},
    )
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    [error] = answer.get_json()["errors"]
    assert (error["field"], error["reason"]) == (field, reason)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_never_cut(
    app: Flask, alice: Caller, installation: Installation, chunked: bool
) -> None:
    limit = installation.settings.max_body_bytes
    body = b'{"name": "' + b"x" * limit + b'"}'
    answer = app.test_client().post(
        "/api/v1/senders",
        input_stream=io.BytesIO(body),
        headers={**alice.member.headers, "Content-Type": "application/json"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        if chunked
        else {"CONTENT_LENGTH": str(len(body))},
    )
    assert answer.status_code == 413
    assert alice.get("/senders")["items"] == []


def test_a_repeat_gets_the_first_answer_and_acts_once(
    installation: Installation, alice: Caller
) -> None:
    before = entries(installation, alice)
    first = alice.call("POST", "/senders", IDENTITY, Idempotency_Key="k1")
    again = alice.call("POST", "/senders", IDENTITY, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert entries(installation, alice) == before + 1
    other = alice.post("/senders", {**IDENTITY, "name": "Other"}, 422, Idempotency_Key="k1")
    assert other["errors"][0]["reason"] == "key_reused"
    elsewhere = alice.post("/purposes", IDENTITY, 422, Idempotency_Key="k1")
    assert elsewhere["errors"]
    assert alice.call("POST", "/senders", IDENTITY, Idempotency_Key="k2").status_code == 201
    assert entries(installation, alice) == before + 2


def test_keys_of_two_organisations_never_meet(alice: Caller, charlie: Caller) -> None:
    mine = alice.post("/senders", IDENTITY, 201, Idempotency_Key="same")
    theirs = charlie.post("/senders", IDENTITY, 201, Idempotency_Key="same")
    assert mine["id"] != theirs["id"]


def test_a_failed_act_keeps_nothing(installation: Installation, alice: Caller) -> None:
    alice.post("/senders", {**IDENTITY, "country": "de"}, 422, Idempotency_Key="k")
    assert alice.post("/senders", IDENTITY, 201, Idempotency_Key="k")
    for key in ("x" * 256, "ü"):
        problem = alice.post("/senders", IDENTITY, 422, Idempotency_Key=key)
        assert problem["errors"][0]["field"] == "Idempotency-Key"


def test_kept_answers_are_sealed_and_end_after_a_day(
    installation: Installation, alice: Caller
) -> None:
    alice.post("/senders", IDENTITY, 201, Idempotency_Key="k")
    with installation.database.read() as session:
        row = session.scalars(select(IdempotentAnswer)).one()
    assert row.status == 201
    assert row.sealed is not None
    assert b"version" not in row.sealed
    with time_machine.travel(now() + timedelta(hours=24, minutes=1), tick=True):
        changed = {**IDENTITY, "name": "Other"}
        assert alice.post("/senders", changed, 201, Idempotency_Key="k")
        assert sweep_answers(installation) == 0
    with time_machine.travel(now() + timedelta(hours=49), tick=True):
        assert sweep_answers(installation) == 1
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(IdempotentAnswer)) == 0


def test_two_at_once_with_one_key_act_once(
    installation: Installation, app: Flask, alice: Caller
) -> None:
    before = entries(installation, alice)
    start = threading.Barrier(4)
    statuses: list[int] = []
    ids: set[str] = set()

    def run() -> None:
        caller = Caller(app, alice.member)
        start.wait()
        answer = caller.call("POST", "/senders", IDENTITY, Idempotency_Key="at-once")
        statuses.append(answer.status_code)
        ids.add(answer.get_json().get("id"))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 4
    assert len(ids) == 1
    assert entries(installation, alice) == before + 1


def test_while_the_first_one_runs_a_repeat_is_409(
    installation: Installation, alice: Caller
) -> None:
    organisation_id = alice.member.organisation_id
    slow = idempotency.Repeatable(organisation_id, "slow", "POST /api/v1/senders", b"{}")
    with installation.database.begin() as tx:
        assert isinstance(idempotency.claim(tx, slow), idempotency.Claim)
        # SQLite's writers queue: there a repeat waits for the first one and gets its answer.
        if installation.database.name == "postgresql":
            alice.post("/senders", IDENTITY, 409, Idempotency_Key="slow")
    alice.post("/senders", IDENTITY, 409, Idempotency_Key="slow")


def test_errors_are_problems_and_unknown_addresses_are_404(app: Flask, alice: Caller) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/senders", 405),
        ("GET", "/senders/1", 404),
    ):
        answer = alice.call(method, path)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["status"] == status
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_document_is_openapi_3_1_and_names_every_route(app: Flask) -> None:
    made: Any = app.test_client().get("/api/v1/openapi.json").get_json()
    assert made["openapi"] == "3.1.0"
    described = {
        (method.upper(), path)
        for path, item in made["paths"].items()
        for method in item
        if method != "parameters"
    }
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api_document.openapi":
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<uuid:{name}>", f"{{{name}}}").replace(
                    f"<{name}>", f"{{{name}}}"
                )
            served |= {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert described == served
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation["summary"], path
            assert operation["security"], path
            if method == "post":
                names = [each.get("name") for each in operation["parameters"]]
                assert "Idempotency-Key" in names, path
