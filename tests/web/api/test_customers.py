"""Existing customers as a marketer's software tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from consentledger.accounts.rules import SCOPES
from consentledger.customers.rules import MOST_ROWS, ROW_FIELDS
from tests.support.customers import sale
from tests.web.api.caller import Caller

ADA = "ada@people.example"


def test_record_find_and_take_back(alice: Caller) -> None:
    done = alice.post("/customers", {"rows": [sale(ADA), sale(ADA.upper(), "A-2")]})
    assert (done["recorded"], done["repeated"], done["refused"]) == (2, 0, 0)
    first = done["rows"][0]
    assert first["warnings"] == ["unmapped_category"]
    assert len(first["leaf_hash"]) == 64
    found = alice.post("/customers:find", {"address": "Ada@people.example"})
    assert found["closed"] == []
    assert {one["customer"] for one in found["customers"]} == {r["customer"] for r in done["rows"]}
    assert alice.get(f"/customers?contact={found['contact']}") == found
    row = {"address": ADA, "reference": "A-2", "reason": "taken_back"}
    assert alice.post("/customers:lapse", {"rows": [row]})["lapsed"] == 1
    found = alice.post("/customers:find", {"address": ADA})
    assert sorted(one["state"] for one in found["customers"]) == ["lapsed", "recorded"]
    status = alice.post("/contacts:status", {"address": ADA})
    assert status["consents"] == [], "a sale is no consent"


def test_every_bad_row_is_named_by_row_and_field(alice: Caller) -> None:
    rows = [sale(ADA), sale(obtained_from="bought"), sale("b@example.org", on="2999-01-01"), {}]
    problem = alice.post("/customers", {"rows": rows}, 422)
    named = [(error["field"], error["reason"]) for error in problem["errors"]]
    assert named[:2] == [("rows[1].obtained_from", "not_from_customer"), ("rows[2].on", "future")]
    assert ("rows[3].address", "missing") in named
    assert alice.post("/customers:find", {"address": ADA})["contact"] is None
    done = alice.post("/customers", {"rows": rows, "partial": True})
    assert [row["outcome"] for row in done["rows"]] == ["recorded", *["refused"] * 3]
    assert done["rows"][1]["errors"][0]["field"] == "obtained_from"


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({}, "rows", "missing"),
        ({"rows": []}, "rows", "missing"),
        ({"rows": [1]}, "rows.0", "type"),
        ({"rows": [sale()] * (MOST_ROWS + 1)}, "rows", "too_many"),
        ({"rows": [sale()], "partial": "yes"}, "partial", "type"),
        ({"rows": [sale()], "source": "a\nb"}, "source", "control_character"),
    ],
)
def test_what_is_no_batch(alice: Caller, body: dict[str, Any], field: str, reason: str) -> None:
    [error] = alice.post("/customers", body, 422)["errors"]
    assert (error["field"], error["reason"]) == (field, reason)


def test_the_same_key_records_once(alice: Caller) -> None:
    body = {"rows": [sale(ADA)]}
    first = alice.post("/customers", body, Idempotency_Key="import-1")
    assert alice.post("/customers", body, Idempotency_Key="import-1") == first
    assert alice.post("/customers", body)["repeated"] == 1


def test_an_erased_address_is_answered_so(alice: Caller) -> None:
    alice.post("/erasures", {"address": ADA, "now": True}, 202)
    done = alice.post("/customers", {"rows": [sale(ADA)]})
    assert [row["outcome"] for row in done["rows"]] == ["suppressed"]
    assert done["rows"][0]["entry_index"] is None


def test_the_document_names_every_field_of_a_row(alice: Caller) -> None:
    schemas = alice.get("/openapi.json")["components"]["schemas"]
    row = schemas["CustomersIn"]["properties"]["rows"]["items"]
    assert set(row["properties"]) == set(ROW_FIELDS)
    assert {"customers:write", "customers:read"} <= set(SCOPES)
