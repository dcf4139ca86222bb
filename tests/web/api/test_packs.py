"""Rule packs and categories by API: listed, read, adopted, compared; every refusal named."""

from __future__ import annotations

from typing import Any

import pytest

from consentledger.law.reading import packs
from tests.web.api.caller import Caller
from tests.web.api.test_publishing import reasons


def line(caller: Caller, pack: str) -> Any:
    (found,) = [one for one in caller.get("/packs")["items"] if one["pack"] == pack]
    return found


def test_packs_are_listed_with_what_was_adopted(alice: Caller, charlie: Caller) -> None:
    listed = alice.get("/packs")["items"]
    assert [one["pack"] for one in listed] == sorted({n.partition("@")[0] for n in packs.names()})
    assert {one["pack"] for one in listed if one["adopted"]} == {"XX"}
    done = alice.post(
        "/packs:adopt", {"packs": [{"pack": "DE", "stricter": ["opt_out=off"]}, {"pack": "IN@1"}]}
    )
    assert [one["name"] for one in done["adopted"]] == ["EU@1", "DE@1", "IN@1"]
    assert line(alice, "DE")["adopted"] == [done["adopted"][1]]
    assert done["adopted"][1]["stricter"] == ["opt_out=off"]
    assert (line(alice, "DE")["update"], line(alice, "IN")["update"]) == (False, True)
    assert line(alice, "IN")["newest"] == "IN@2"
    assert line(charlie, "DE")["adopted"] == []


def test_an_adoption_is_repeated_by_its_key(alice: Caller) -> None:
    body = {"packs": [{"pack": "EU"}]}
    first = alice.call("POST", "/packs:adopt", body, Idempotency_Key="a")
    again = alice.call("POST", "/packs:adopt", body, Idempotency_Key="a")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    other = alice.post("/packs:adopt", body)
    assert other["adopted"] == []
    assert [one["name"] for one in other["unchanged"]] == ["EU@1"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"packs": [{"pack": "ZZ"}]}, {"packs[0]": "unknown"}),
        ({"packs": [{"pack": "EU", "stricter": ["exception=on"]}]}, {"stricter": "unknown"}),
        ({"packs": [{"pack": "EU", "accepts": ["donation"]}]}, {"accepts": "unknown"}),
    ],
)
def test_what_can_not_be_adopted_is_named(
    alice: Caller, body: dict[str, Any], found: dict[str, str]
) -> None:
    answer = alice.call("POST", "/packs:adopt", body)
    assert answer.status_code == 422
    assert reasons(answer.json) == found
    assert alice.call("POST", "/packs:adopt", {"packs": []}).status_code == 422
    assert alice.call("POST", "/packs:adopt", {"packs": [{"name": "EU"}]}).status_code == 422


def test_a_pack_is_read_whole_and_in_sentences(alice: Caller) -> None:
    found = alice.get("/packs/EU")
    assert found["name"] == "EU@1"
    assert found["pack"]["hash"] == packs.pack("EU@1").hash
    topics = {one["topic"]: one for one in found["topics"]}
    assert topics["unsubscribe"]["heading"] == "How to get out"
    rule = topics["exception"]["rules"][0]
    assert rule["says"] == packs.pack("EU@1").exception.says
    assert set(rule["citations"]) <= set(found["pack"]["citations"])
    assert any("paid sale" in said for said in rule["lines"])
    assert alice.get("/packs/IN@2")["name"] == "IN@2"
    assert alice.call("GET", "/packs/ZZ").status_code == 404
    assert alice.call("GET", "/packs/EU@9").status_code == 404


def test_two_versions_are_compared(alice: Caller) -> None:
    assert alice.call("GET", "/packs/IN:diff").status_code == 404
    alice.post("/packs:adopt", {"packs": [{"pack": "IN@1"}]})
    diff = alice.get("/packs/IN:diff")
    assert (diff["before"], diff["after"]) == ("IN@1", "IN@2")
    changes = {one["key"]: one for one in diff["changes"]}
    assert changes["version"] == {"key": "version", "before": "1", "after": "2"}
    same = alice.get("/packs/IN:diff?before=IN@2&after=IN@2")
    assert same["changes"] == []
    wrong = alice.call("GET", "/packs/IN:diff?before=EU@1")
    assert reasons(wrong.json) == {"before": "unknown"}


def test_categories_are_published_and_read(alice: Caller, charlie: Caller) -> None:
    assert alice.call("GET", "/categories").status_code == 404
    body = {"categories": ["garden", "garden/tools"], "groups": ["garden"]}
    first = alice.post("/categories", body, 201)
    assert (first["version"], first["groups"]) == (1, ["garden"])
    assert alice.post("/categories", body, 201) == first
    second = alice.post("/categories", {"categories": ["garden"]}, 201)
    assert (second["version"], second["groups"]) == (2, [])
    assert alice.get("/categories") == second
    assert alice.get("/categories?version=1") == first
    assert alice.call("GET", "/categories?version=3").status_code == 404
    assert charlie.call("GET", "/categories").status_code == 404
    wrong = alice.call("POST", "/categories", {"categories": ["a/b", "C"], "groups": ["x"]})
    assert reasons(wrong.json) == {
        "categories[0]": "parent_missing", "categories[1]": "format", "groups[0]": "unknown",
    }  # fmt: skip
    tools = {"titles": {"en": "tools"}, "categories": ["garden/tools"]}
    made = alice.post("/purposes", tools, 201)
    assert alice.get(f"/purposes/{made['id']}")["categories"] == ["garden/tools"]


def test_a_key_without_the_scope_adopts_and_publishes_nothing(bob: Caller) -> None:
    calls = [("GET", "/packs"), ("GET", "/packs/EU"), ("GET", "/packs/EU:diff")]
    calls += [("GET", "/categories"), ("POST", "/packs:adopt"), ("POST", "/categories")]
    for method, path in calls:
        body = {} if method == "POST" else None
        assert bob.call(method, path, body).status_code == 403, path
