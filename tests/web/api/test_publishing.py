"""What a marketer publishes, by API: created, published, listed, and every refusal named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.caller import IDENTITY, Caller, wording


def reasons(problem: Any) -> dict[str, str]:
    return {each["field"]: each["reason"] for each in problem["errors"]}


def test_a_form_is_published_step_by_step(alice: Caller, charlie: Caller) -> None:
    charlie.form()
    made = alice.form(
        fields=[{"name": "email", "required": True}, {"name": "first_name"}],
        origins=["https://Shop.Example:443"],
        returns=["https://shop.example/thanks"],
    )
    form = alice.get(f"/forms/{made.form}")
    assert (form["state"], form["version"]) == ("published", 1)
    assert form["draft"] == {
        "sender": made.sender,
        "language": "en",
        "channel": "email",
        "wordings": [made.wording],
        "fields": [
            {"name": "email", "required": True},
            {"name": "first_name", "required": False},
        ],
        "origins": ["https://shop.example"],
        "returns": ["https://shop.example/thanks"],
    }
    assert alice.get("/forms")["items"] == [form]
    sender = alice.get(f"/senders/{made.sender}")
    assert sender["identity"]["legal_name"] == "Alpenkraut Versand GmbH"
    assert [each["id"] for each in alice.get("/senders")["items"]] == [made.sender]
    purpose = alice.get(f"/purposes/{made.purpose}")
    assert (purpose["class"], purpose["channels"]) == ("marketing", ["email"])
    assert [each["id"] for each in alice.get("/purposes")["items"]] == [made.purpose]
    text = alice.get(f"/wordings/{made.wording}")
    assert text["published_at"].endswith("Z")
    assert [each["id"] for each in alice.get("/wordings")["items"]] == [made.wording]
    again = alice.put(f"/forms/{made.form}", {**form["draft"], "origins": []})
    assert (again["state"], again["version"], again["draft"]["origins"]) == ("published", 1, [])
    assert alice.post(f"/forms/{made.form}:publish")["version"] == 2
    assert alice.post(f"/forms/{made.form}:unpublish")["state"] == "unpublished"
    assert alice.call("POST", f"/forms/{made.form}:unpublish").status_code == 409


def test_new_versions_of_sender_and_purpose(alice: Caller) -> None:
    made = alice.form()
    changed = {**IDENTITY, "from_name": "Alpenkraut News", "link_host": "links.alpenkraut.example"}
    assert alice.post(f"/senders/{made.sender}:publish", changed)["version"] == 2
    assert alice.get(f"/senders/{made.sender}")["link_host"] == "links.alpenkraut.example"
    assert alice.post(f"/purposes/{made.purpose}:publish", {"titles": {"en": "weekly offers"}})
    wider = alice.call("POST", f"/purposes/{made.purpose}:publish", {"titles": {"en": "all"}})
    assert wider.status_code == 409
    assert wider.mimetype == "application/problem+json"


def test_a_transport_goes_in_and_never_comes_out(alice: Caller) -> None:
    transport = {"server": "smtp.shop.example", "username": "shop", "password": "hunter2hunter2"}
    sender = alice.sender(transport=transport)
    found = alice.call("GET", f"/senders/{sender}")
    assert found.get_json()["has_transport"] is True
    assert b"hunter2" not in found.data
    assert b"smtp.shop" not in found.data
    problem = alice.post(
        "/senders", {**IDENTITY, "transport": {**transport, "server": "10.0.0.1"}}, 422
    )
    assert reasons(problem) == {"transport.server": "ip_address"}


def test_publishing_names_every_gap(alice: Caller) -> None:
    sender, purpose = alice.sender(), alice.purpose()
    draft = alice.post(
        "/wordings",
        wording(
            sender,
            purpose,
            statement="Send me things.",
            withdrawal="",
            notice_text="",
            controllers=[],
        ),
        201,
    )
    problem = alice.post(f"/wordings/{draft['id']}:publish", status=422)
    assert {(each["field"], each["reason"]) for each in problem["errors"]} == {
        ("controllers", "missing"),
        ("statement", "purpose_missing"),
        ("statement", "channel_missing"),
        ("withdrawal", "missing"),
        ("notice_text", "missing"),
    }
    assert all(each["detail"] for each in problem["errors"])


def test_a_published_wording_never_changes(alice: Caller) -> None:
    made = alice.form()
    alice.put(f"/wordings/{made.wording}", wording(made.sender, made.purpose), 409)
    draft = alice.post("/wordings", wording(made.sender, made.purpose, "offers"), 201)
    edited = wording(made.sender, made.purpose)
    found = alice.put(f"/wordings/{draft['id']}", edited)
    assert found["statement"] == edited["statement"]


@pytest.mark.parametrize("name", ["ticked", "checked", "preselected", "default"])
def test_no_box_is_ticked_beforehand(alice: Caller, name: str) -> None:
    made = alice.form()
    body = {"sender": made.sender, "language": "en", "wordings": [made.wording]}
    problem = alice.post("/forms", {**body, name: True}, 422)
    assert reasons(problem) == {name: "ticked_beforehand"}
    problem = alice.post("/forms", {**body, "fields": [{"name": "email", name: True}]}, 422)
    assert reasons(problem) == {f"fields.0.{name}": "ticked_beforehand"}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"fields": [{"name": "phone", "required": True}]}, "fields", "only_address_required"),
        ({"origins": ["https://shop.example/path"]}, "origins", "path"),
        ({"origins": ["null"]}, "origins", "null"),
        ({"origins": ["http://shop.example"]}, "origins", "scheme"),
        ({"returns": ["javascript:alert(1)"]}, "returns", "scheme"),
        ({"returns": ["data:text/html,x"]}, "returns", "scheme"),
        ({"language": "English"}, "language", "format"),
        ({"channel": "fax"}, "channel", "unknown"),
        ({"wordings": ["x"]}, "wordings.0", "type"),
        ({"wordings": None}, "wordings", "missing"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_a_wrong_form_names_its_field(
    alice: Caller, change: dict[str, Any], field: str, reason: str
) -> None:
    sender = alice.sender()
    body = {"sender": sender, "language": "en", "wordings": [], **change}
    assert reasons(alice.post("/forms", body, 422)) == {field: reason}
    assert alice.get("/forms")["items"] == []


def test_lists_come_in_pages(alice: Caller, charlie: Caller) -> None:
    charlie.purpose("noise")
    made = [alice.purpose(f"offers {n}") for n in range(5)]
    first = alice.get("/purposes?limit=2")
    second = alice.get(f"/purposes?limit=2&after={first['next']}")
    third = alice.get(f"/purposes?limit=2&after={second['next']}")
    found = [each["id"] for page in (first, second, third) for each in page["items"]]
    assert found == made
    assert third["next"] is None
    for query, field in (
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("after=1", "after"),
        ("page=2", "page"),
    ):
        problem = alice.call("GET", f"/purposes?{query}")
        assert problem.status_code == 422
        assert list(reasons(problem.get_json())) == [field]
