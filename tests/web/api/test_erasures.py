"""Erasures, holds and policies as a marketer's software asks for them."""

from __future__ import annotations

from typing import Any

import pytest

from consentledger.db.installation import Installation
from consentledger.erasure import service
from tests.support import erasures
from tests.web.api.caller import Caller, Made

ADA, EVE = "Ada@people.example", "eve@people.example"


@pytest.fixture
def made(alice: Caller) -> Made:
    form = alice.form()
    body = {"form": form.form, "address": ADA, "purposes": [form.purpose]}
    alice.post("/consents", body, 202)
    return form


def permit(caller: Caller, made: Made, address: str) -> list[str]:
    message = {"sender": made.sender, "purpose": made.purpose, "channel": "email"}
    [row] = caller.post("/permits", {**message, "recipients": [address]})["permits"]
    return [reason["code"] for reason in row["reasons"]]


def work(installation: Installation) -> None:
    service.erase_due(installation.database, None, installation.journal)
    erasures.destroy_due(installation.database)


def test_an_erasure_is_taken_up_and_its_receipt_fetched(
    installation: Installation, alice: Caller, made: Made
) -> None:
    asked = alice.post("/erasures", {"address": ADA, "now": True}, 202, Idempotency_Key="e")
    assert (asked["state"], asked["log"], asked["gone"]) == ("requested", None, None)
    again = alice.post("/erasures", {"address": ADA, "now": True}, 202, Idempotency_Key="e")
    assert again == asked
    assert permit(alice, made, ADA) == ["suppressed", "no_basis"]
    work(installation)
    receipt = alice.get(f"/erasures/{asked['id']}")
    assert receipt["state"] == "destroyed"
    assert receipt["gone"]["contact"] == 1
    assert len(receipt["log"]["leaf_hash"]) == 64
    assert "keyed hash" in receipt["remains"][0]
    assert ADA.lower() not in str(receipt).lower()
    assert alice.post("/contacts:status", {"address": ADA})["known"] is False


def test_known_and_unknown_addresses_are_answered_alike(alice: Caller, made: Made) -> None:
    def told(address: str) -> dict[str, Any]:
        answer = alice.post("/erasures", {"address": address}, 202)
        return {k: v for k, v in answer.items() if k not in ("id", "requested_at", "due_at")}

    assert told(ADA) == told(EVE)
    assert permit(alice, made, EVE) == ["suppressed", "no_basis"]


def test_a_dry_run_counts_and_changes_nothing(alice: Caller, made: Made) -> None:
    seen = alice.post("/erasures", {"address": ADA, "dry_run": True}, 200)
    assert seen["rows"]["contact"] == 1
    assert seen["openings"]["core"] == 1
    assert seen["held"] is False
    assert alice.post("/contacts:status", {"address": ADA})["known"] is True
    assert permit(alice, made, ADA) == ["no_basis"]


def test_a_hold_is_placed_seen_and_released(
    installation: Installation, alice: Caller, made: Made
) -> None:
    order = {"address": ADA, "person": "Judge J", "reason": "case 4711"}
    hold = alice.post("/holds", order, 201)
    assert (hold["everybody"], hold["released_at"]) == (False, None)
    asked = alice.post("/erasures", {"address": ADA, "now": True}, 202)
    assert asked["state"] == "held"
    assert "legal hold" in asked["remains"][0]
    work(installation)
    assert alice.get(f"/erasures/{asked['id']}")["state"] == "held"
    assert [each["id"] for each in alice.get("/holds")["items"]] == [hold["id"]]
    released = alice.post(f"/holds/{hold['id']}:release", {"person": "Judge J"})
    assert released["released_by"] == "Judge J"
    work(installation)
    assert alice.get(f"/erasures/{asked['id']}")["state"] == "destroyed"


def test_days_are_changed_within_their_range(alice: Caller) -> None:
    assert alice.get("/erasure-policy") == {"keep_for_claims_days": 0, "retention_days": 1095}
    assert alice.put("/erasure-policy", {"retention_days": 365})["retention_days"] == 365
    assert alice.get("/erasure-policy")["retention_days"] == 365
    assert alice.put("/erasure-policy", {"retention_days": 3}, 422)["errors"][0]["field"] == (
        "retention_days"
    )
    refused = alice.put("/erasure-policy", {"keep_for_claims_days": 30}, 409)
    assert "escrow" in refused["detail"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/erasures", {"address": "ada"}, "address"),
        ("/erasures", {"address": ADA, "ground": "because"}, "ground"),
        ("/erasures", {"address": ADA, "now": "yes"}, "now"),
        ("/holds", {"person": " ", "reason": "x"}, "person"),
        ("/holds", {"person": "J", "reason": "x" * 301}, "reason"),
    ],
)
def test_what_is_amiss_is_named(alice: Caller, path: str, body: dict[str, Any], field: str) -> None:
    assert alice.post(path, body, 422)["errors"][0]["field"] == field
