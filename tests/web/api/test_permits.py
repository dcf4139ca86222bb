"""POST /permits, POST /permits:recheck and GET /permits/{id} over the app, on both engines."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from consentledger.accounts.models import IdempotentAnswer
from consentledger.db.installation import Installation
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.merkle import verify_inclusion
from consentledger.ledger.permit import parse_permit, permit_line_hash
from consentledger.ledger.proof import parse_tlog_proof
from consentledger.mail.headers import header_line
from consentledger.organisations import service
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit
from tests.factories import identity
from tests.web.api.permitted import PERMITS, RECHECK, World, make_world


@pytest.fixture
def world(installation: Installation) -> World:
    """alice's shop with two people who said yes, and bob and charlie."""
    return make_world(installation)


def test_a_permit_carries_link_headers_and_reasons(world: World) -> None:
    answer = world.ask(
        "ann@example.org", {"address": "nobody@example.org"}, "nonsense", campaign="spring"
    )
    assert answer.status_code == 200
    body = answer.json
    assert (body["count"], body["allowed"]) == (3, 1)
    assert "proves only that we did not permit it" in body["meaning"]
    assert [row["address"] for row in body["permits"]] == [
        "ann@example.org",
        "nobody@example.org",
        "nonsense",
    ]
    ann, nobody, nonsense = body["permits"]
    assert (ann["allowed"], ann["basis"]) == (True, "consent")
    assert ann["valid_until"] == body["valid_until"]
    assert ann["verdict"] == "allow"
    duties = [duty["code"] for duty in ann["duties"]]
    assert {"identify_sender", "offer_opt_out", "postal_address"} <= set(duties)
    assert all(duty.keys() == {"code", "value", "rule", "source"} for duty in ann["duties"])
    assert "strictest" in ann["reasons"][0]["source"]  # nobody said where ann is
    for denied, code in ((nobody, "no_basis"), (nonsense, "invalid_address")):
        assert (denied["allowed"], denied["basis"], denied["valid_until"]) == (False, None, None)
        assert (denied["unsubscribe_url"], denied["headers"]) == (None, {})
        assert [reason["code"] for reason in denied["reasons"]] == [code]
        assert (denied["verdict"], denied["duties"]) == ("deny", [])
        assert denied["reasons"][0]["rule"].startswith("XX@1#")
    url = ann["unsubscribe_url"]
    token = urlsplit(url).path.removeprefix("/u/")
    link_id = world.installation.tokens.read("unsubscribe", token)
    assert link_id is not None
    assert str(PermitId.from_bytes(link_id)) == ann["permit"]
    assert ann["headers"]["List-Unsubscribe"] == f"<{url}>"
    assert ann["headers"]["Feedback-ID"].startswith("spring:")
    for name, value in ann["headers"].items():
        header_line(name, value)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_sender_with_a_link_host_of_its_own(world: World) -> None:
    with world.installation.database.begin() as tx:
        command = service.PublishSender(
            world.shop.organisation_id,
            identity(),
            "test",
            world.shop.sender_id,
            "u.alpenkraut.example",
        )
        service.publish_sender(tx, command)
    row = world.ask("ann@example.org").json["permits"][0]
    assert row["unsubscribe_url"].startswith("https://u.alpenkraut.example/u/")


def test_every_permit_can_be_read_with_its_proof(world: World) -> None:
    rows = world.ask("ann@example.org", "nobody@example.org").json["permits"]
    waiting = world.read(rows[0]["permit"]).json
    assert waiting["proof"]["tlog_proof"] is None  # no checkpoint covers it yet
    checkpoint = world.installation.signer.sign(world.shop.organisation_id)
    assert checkpoint is not None
    for row, state in zip(rows, ("valid", "denied"), strict=True):
        read = world.read(row["permit"], who="bob")
        assert read.status_code == 200
        body = read.json
        assert (body["state"], body["allowed"]) == (state, row["allowed"])
        assert body["reasons"] == row["reasons"]
        assert "example.org" not in read.text  # an id names the person, an address never
        assert "proves only" in body["meaning"]
        proof = body["proof"]
        told = parse_permit(proof["disclosure"])
        assert (told.permit, told.allowed) == (row["permit"], row["allowed"])
        plain = parse_leaf(proof["leaf"].encode()).plain
        path = [base64.b64decode(item) for item in proof["path"]]
        verify_inclusion(
            permit_line_hash(proof["disclosure"]),
            proof["row"],
            int(plain["count"]),
            path,
            bytes.fromhex(plain["root"]),
        )
        tlog = parse_tlog_proof(proof["tlog_proof"])
        assert (tlog.index, tlog.extra) == (proof["batch"], proof["leaf"].encode())
        assert tlog.checkpoint == checkpoint.note


def test_recheck_tells_who_left_and_reads_only(world: World) -> None:
    rows = world.ask("ann@example.org", "bea@example.org", "x@example.org").json["permits"]
    ids = [row["permit"] for row in rows]
    assert world.recheck(*ids[:2], key="k").json["dead"] == []
    world.shop.withdraw("bea@example.org")
    size = world.size()
    answer = world.recheck(*ids, key="k").json  # the same key: an old answer would hide the stop
    assert answer["dead"] == [
        {"permit": ids[1], "reason": "stopped"},
        {"permit": ids[2], "reason": "denied"},
    ]
    assert answer["checked"] == 3
    assert world.size() == size
    assert world.read(ids[1]).json["state"] == "stopped"


def test_the_same_key_gets_the_same_answer_and_one_batch(world: World) -> None:
    first = world.ask("ann@example.org", "x@example.org", key="once")
    size = world.size()
    world.shop.withdraw("ann@example.org")
    again = world.ask("ann@example.org", "x@example.org", key="once")
    assert again.status_code == first.status_code == 200
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert world.size() == size + 1  # the withdrawal
    other = world.ask("bea@example.org", key="once")
    assert other.status_code == 422
    assert other.json["errors"][0]["reason"] == "key_reused"
    fresh = world.ask("ann@example.org", "x@example.org").json
    assert fresh["permits"][0]["allowed"] is False


def test_four_requests_with_one_key_at_once_make_one_batch(world: World) -> None:
    app = world.client.application
    size = world.size()
    ready = threading.Barrier(4)

    def post(_: int) -> Any:
        own = World(world.cast, world.shop, app.test_client(use_cookies=False), world.installation)
        ready.wait(10)
        return own.ask("ann@example.org", "x@example.org", key="once")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    told = {answer.text for answer in answers if answer.status_code == 200}
    assert len(told) == 1
    assert world.size() == size + 1


def test_what_is_kept_for_a_repetition_names_nobody(world: World) -> None:
    people = [f"p{n}@example.org" for n in range(300)]
    assert world.ask(*people, key="once").status_code == 200
    database, organisation_id = world.installation.database, world.shop.organisation_id
    with database.read() as session:
        row = session.scalars(select(IdempotentAnswer)).one()
        keys = database.log.keystore.organisation(session, organisation_id)
        assert row.sealed is not None
        assert len(row.sealed) < 300
        opened = keys.sealer.open(
            row.sealed, b"consentledger/idempotent-answer/v1\n" + row.key_hash
        )
    assert set(json.loads(opened)) == {"batch", "from_address", "link_host"}


def test_outsiders_see_nothing(world: World) -> None:
    permit = world.ask("ann@example.org").json["permits"][0]["permit"]
    outside = world.read(permit, who="charlie")
    unknown = world.read("A" * 16, who="charlie")
    malformed = world.read("nonsense", who="charlie")
    assert outside.status_code == unknown.status_code == malformed.status_code == 404
    assert outside.json == unknown.json == malformed.json
    dead = world.recheck(permit, who="charlie").json["dead"]
    assert dead == [{"permit": permit, "reason": "unknown"}]
    refused = world.ask("ann@example.org", who="charlie")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "sender"


def test_scopes_are_demanded(world: World) -> None:
    permit = world.ask("ann@example.org").json["permits"][0]["permit"]
    assert world.ask("ann@example.org", who="bob").status_code == 403
    assert world.recheck(permit, who="bob").status_code == 200
    assert world.read(permit, who="bob").status_code == 200
    assert world.client.post(PERMITS, json={}).status_code == 401
    assert world.client.post(RECHECK, json={}).status_code == 401
    assert world.client.get(f"{PERMITS}/{permit}").status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"purpose": "00000000-0000-7000-8000-000000000000"}, 422, "purpose"),
        ({"purpose": "offers"}, 422, "purpose"),
        ({"sender": "00000000-0000-7000-8000-000000000000"}, 422, "sender"),
        ({"channel": "sms"}, 422, "channel"),
        ({"class": "transactional"}, 422, "class"),
        ({"contains": ["joke"]}, 422, "contains[0]"),
        ({"send_at": "2020-01-01T00:00:00Z"}, 422, "send_at"),
        (
            {"recipients": ["a", {"address": "b", "country": "Utopia"}]},
            422,
            "recipients[1].country",
        ),
        ({"class": "tracking"}, 422, "class"),
        ({"valid_for": 86_401}, 422, "valid_for"),
        ({"campaign": "two words"}, 422, "campaign"),
        ({"recipients": []}, 422, "recipients"),
        ({"recipients": [f"p{n}@example.org" for n in range(10_001)]}, 422, "recipients"),
        ({"recipients": ["ann@example.org", 7]}, 422, "recipients[1]"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(
    world: World, change: dict[str, Any], status: int, field: str
) -> None:
    size = world.size()
    answer = world.ask("ann@example.org", key="k", **change)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["errors"][0]["field"] == field
    assert world.size() == size
    with world.installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Permit)) == 0


@pytest.mark.parametrize(
    ("body", "mimetype", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"sender":1,"sender":2}', "application/json", 400),
        (b"sender=1", "application/x-www-form-urlencoded", 415),
        (b"", "application/json", 422),
    ],
)
def test_bodies_that_are_no_question(world: World, body: bytes, mimetype: str, status: int) -> None:
    headers = world.cast.alice.headers
    for address in (PERMITS, RECHECK):
        answer = world.client.post(address, data=body, content_type=mimetype, headers=headers)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"


def test_ten_thousand_recipients_fit_one_body(world: World) -> None:
    people = [f"p{n}@example.org" for n in range(9_999)]
    answer = world.ask("ann@example.org", *people)
    assert answer.status_code == 200
    assert answer.json["allowed"] == 1
    last = answer.json["permits"][-1]["permit"]
    assert world.read(last).json["proof"]["row"] == 9_999


def test_the_document_describes_the_routes(world: World) -> None:
    document = world.client.get("/api/v1/openapi.json").json
    assert {"/api/v1/permits", "/api/v1/permits:recheck", "/api/v1/permits/{permit}"} <= set(
        document["paths"]
    )
    question = document["components"]["schemas"]["PermitQuestion"]
    assert set(question["required"]) == {"sender", "purpose", "channel"}
    assert "class" in question["properties"]
