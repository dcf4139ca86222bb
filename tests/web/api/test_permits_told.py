"""What a permit tells of itself over the app, service messages, and permits that are taken back, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from consentledger.db.installation import Installation
from tests.web.api.permitted import PERMITS, World, make_world


@pytest.fixture
def world(installation: Installation) -> World:
    """alice's shop with two people who said yes, and bob and charlie."""
    return make_world(installation)


def test_a_permit_tells_its_message_and_the_facts_it_was_made_from(world: World) -> None:
    people = [{"address": "ann@example.org", "country": "de", "person": "legal"}, "x@example.org"]
    rows = world.ask(*people, campaign="spring", categories=["herbs"]).json["permits"]
    ann, stranger = (world.read(row["permit"]).json for row in rows)
    assert ann["message"] | {"send_at": None, "packs": None} == {
        "sender": str(world.shop.sender_id), "purpose": str(world.shop.purpose_id), "channel": "email",
        "class": "marketing", "contains": [], "categories": ["herbs"], "categories_version": None,
        "campaign": "spring", "tracking": None, "send_at": None, "registers": [], "packs": None,
    }  # fmt: skip
    assert ann["facts"]["countries"] == ["DE"]
    assert (ann["facts"]["person"], ann["facts"]["consent"]) == ("legal", "confirmed")
    assert (ann["facts"]["customer"], ann["packs"]) == (None, ["XX@1"])
    assert (stranger["facts"]["recipient"], stranger["contact"]) == ("stranger", None)
    assert stranger["verdict"] == "deny"


def test_a_service_message_has_no_link_and_no_list_headers(world: World) -> None:
    world.shop.stop("ann@example.org")
    (row,) = world.ask("ann@example.org", **{"class": "service"}).json["permits"]
    assert (row["allowed"], row["basis"]) == (True, "service")
    assert (row["unsubscribe_url"], row["headers"]) == (None, {})
    (row,) = world.ask("ann@example.org", **{"class": "service", "contains": ["survey"]}).json[
        "permits"
    ]
    assert row["allowed"] is False


def take_back(world: World, who: str = "alice", key: str | None = None, **body: object) -> Any:
    """Posts to /permits:void."""
    headers = dict(getattr(world.cast, who).headers)
    if key:
        headers["Idempotency-Key"] = key
    return world.client.post(f"{PERMITS}:void", json=body, headers=headers)


def test_permits_are_taken_back(world: World) -> None:
    asked = world.ask("ann@example.org", "bea@example.org").json
    ids = [row["permit"] for row in asked["permits"]]
    size = world.size()
    done = take_back(world, permits=ids[:1], reason="a wrong price", key="k")
    assert done.json == {"voided": [{"batch": asked["batch"], "entry_index": size, "count": 1}]}
    assert take_back(world, permits=ids[:1], reason="a wrong price", key="k").json == done.json
    assert world.size() == size + 1
    assert world.recheck(*ids).json["dead"] == [{"permit": ids[0], "reason": "voided"}]
    assert [world.read(one).json["state"] for one in ids] == ["voided", "valid"]
    assert (
        take_back(world, batch=asked["batch"], reason="all of it").json["voided"][0]["count"] == 1
    )
    assert world.read(ids[1]).json["state"] == "voided"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "permits"),
        ({"reason": "x"}, "permits"),
        ({"batch": "AAAAAAAA", "permits": ["A" * 16], "reason": "x"}, "permits"),
        ({"batch": "AAAAAAAA"}, "reason"),
        ({"batch": "AAAAAAAA", "reason": " "}, "reason"),
        ({"batch": "AAAAAAAA", "reason": "a\nb"}, "reason"),
        ({"batch": "AAAAAAAA", "reason": "x"}, "batch"),
        ({"batch": "short", "reason": "x"}, "batch"),
        ({"permits": [], "reason": "x"}, "permits"),
        ({"permits": ["A" * 16, "x"], "reason": "x"}, "permits[1]"),
        ({"permits": ["A" * 16], "reason": "x"}, "permits[0]"),
        ({"permits": ["A" * 16], "reason": "x", "all": True}, "all"),
    ],
)
def test_what_cannot_be_taken_back_is_named(world: World, body: dict[str, Any], field: str) -> None:
    size = world.size()
    answer = take_back(world, **body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
    assert world.size() == size


def test_outsiders_take_nothing_back(world: World) -> None:
    asked = world.ask("ann@example.org").json
    for body in ({"batch": asked["batch"]}, {"permits": [asked["permits"][0]["permit"]]}):
        assert take_back(world, who="charlie", reason="mine", **body).status_code == 422
    assert world.read(asked["permits"][0]["permit"]).json["state"] == "valid"
