"""Reports by API: told once, answered the same again, found by the Message-ID."""

from __future__ import annotations

from tests.web.api.caller import Caller


def permits(alice: Caller, *people: str) -> list[str]:
    """Permits, denied ones for strangers: what counts here is what is said of them."""
    sender, purpose = alice.sender(), alice.purpose()
    body = {"sender": sender, "purpose": purpose, "channel": "email", "recipients": list(people)}
    return [row["permit"] for row in alice.post("/permits", body)["permits"]]


def test_a_report_is_told_once_and_found_again(alice: Caller, charlie: Caller) -> None:
    (permit,) = permits(alice, "nobody@person.example")
    body = {
        "sends": [{"permit": permit, "status": "sent", "message_id": "<1@mail.example>"}],
    }
    told = alice.post("/sends", body)
    (one,) = told["sends"]
    assert (told["count"], told["recorded"], one["flags"]) == (1, 1, ["not_permitted"])
    assert "is what you reported" in told["meaning"]
    again = alice.post("/sends", body)
    assert (again["recorded"], again["sends"][0]["repeated"]) == (0, True)
    assert again["sends"][0]["report"] == one["report"]
    found = alice.post("/permits:find", {"message_id": "1@mail.example"})
    (hit,) = found["found"]
    assert (hit["permit"], hit["permitted"], hit["status"]) == (permit, False, "sent")
    assert hit["proof"]["batch"] == one["entry_index"]
    assert alice.post("/permits:find", {"message_id": "2@mail.example"})["found"] == []
    assert charlie.post("/permits:find", {"message_id": "1@mail.example"})["found"] == []
    assert charlie.call("POST", "/sends", body).status_code in (400, 422)


def test_an_idempotency_key_is_answered_the_same(alice: Caller) -> None:
    (permit,) = permits(alice, "nobody@person.example")
    body = {"sends": [{"permit": permit, "status": "failed"}]}
    first = alice.call("POST", "/sends", body, Idempotency_Key="k1")
    again = alice.call("POST", "/sends", body, Idempotency_Key="k1")
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"


def test_who_may_only_read_permits_reports_none(bob: Caller) -> None:
    assert bob.call("POST", "/sends", {"sends": []}).status_code == 403
    assert bob.call("POST", "/permits:find", {"message_id": "1@mail.example"}).status_code == 200
