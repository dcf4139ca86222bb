"""What an organisation wants of the addresses that sign up, over HTTP: told, changed, and kept to at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from consentledger.db.installation import Installation
from consentledger.organisations.facts import AddressPolicy
from consentledger.organisations.pausing import PauseForm, pause_form
from consentledger.organisations.queries import organisation
from tests.support.mails import entries, waiting
from tests.web.api.caller import Caller

DISPOSABLE, ROLE, ADA = "ada@mailinator.com", "Info@people.example", "ada@people.example"


def sign_up(alice: Caller, made: Any, address: str) -> Any:
    body = {"form": made.form, "address": address, "purposes": [made.purpose]}
    return alice.call("POST", "/consents", body)


def test_a_policy_is_told_changed_and_logged(installation: Installation, alice: Caller) -> None:
    assert alice.get("/configuration") == {"addresses": {"disposable": "flag", "role": "flag"}}
    body = {"addresses": {"role": "refuse"}}
    changed = alice.call("PUT", "/configuration", body)
    assert changed.get_json() == {"addresses": {"disposable": "flag", "role": "refuse"}}
    assert alice.call("PUT", "/configuration", body).status_code == 200  # the same again is none
    told = entries(installation.database, alice.member.organisation_id, "configuration.changed")
    values = [(one.values["setting"], one.values["value"]) for one in told]
    assert [one for one in values if one[0].startswith("addresses.")] == [
        ("addresses.role", "refuse")
    ]
    for bad in (
        {},
        {"addresses": {"role": "ban"}},
        {"addresses": {"vip": "flag"}},
        {"addresses": 1},
    ):
        assert alice.call("PUT", "/configuration", bad).status_code == 422, bad


def test_one_organisations_policy_is_no_others(
    installation: Installation, alice: Caller, charlie: Caller
) -> None:
    alice.call("PUT", "/configuration", {"addresses": {"disposable": "refuse"}})
    made = charlie.form()
    assert sign_up(charlie, made, DISPOSABLE).status_code == 202
    with installation.database.read() as session:
        found = organisation(session, charlie.member.organisation_id)
    assert found.address_policy == AddressPolicy("flag", "flag")


@pytest.mark.parametrize(("address", "kind"), [(DISPOSABLE, "disposable"), (ROLE, "role")])
def test_an_address_is_flagged_accepted_or_refused(
    installation: Installation, alice: Caller, address: str, kind: str
) -> None:
    made = alice.form()
    assert sign_up(alice, made, address).status_code == 202
    assert alice.post("/contacts:status", {"address": address})["flags"] == [kind]
    alice.call("PUT", "/configuration", {"addresses": {kind: "refuse"}})
    before = waiting(installation)
    refused = sign_up(alice, made, address)
    assert refused.status_code == 422
    [error] = refused.get_json()["errors"]
    assert error["reason"] == kind
    other = "eve@mailinator.com" if kind == "disposable" else "sales@people.example"
    assert sign_up(alice, made, other).status_code == 422
    assert waiting(installation) == before  # nothing is written, known or not
    alice.call("PUT", "/configuration", {"addresses": {kind: "accept"}})
    assert sign_up(alice, made, ADA).status_code == 202
    assert sign_up(alice, made, other).status_code == 202
    assert alice.post("/contacts:status", {"address": other})["flags"] == []
    assert alice.post("/contacts:status", {"address": ADA})["flags"] == []
    [day, week] = alice.get(f"/forms/{made.form}/figures")["periods"]
    assert (day["days"], day["requests"], day["flagged"], day["mailed"]) == (1, 3, 1, 0)
    assert week["requests"] == 3


def test_a_paused_form_is_shown_answers_409_and_is_resumed(
    installation: Installation, alice: Caller
) -> None:
    made = alice.form()
    assert alice.get(f"/forms/{made.form}")["paused"] is None
    resume = f"/forms/{made.form}:resume"
    assert alice.call("POST", resume, {}).status_code == 409
    pause(installation, alice, made.form)
    shown = alice.get(f"/forms/{made.form}")
    assert shown["state"] == "paused"
    assert shown["paused"]["reason"] == "unconfirmed"
    assert (shown["paused"]["mailed"], shown["paused"]["confirmed"]) == (61, 2)
    refused = sign_up(alice, made, ADA)
    assert refused.status_code == 409
    assert refused.get_json()["type"].endswith(":paused")
    assert alice.post(resume, {}) == {"id": made.form, "state": "published", "version": 1}
    assert sign_up(alice, made, ADA).status_code == 202


def pause(installation: Installation, alice: Caller, form: str) -> None:
    command = PauseForm(alice.member.organisation_id, UUID(form), None, "unconfirmed", 61, 2)
    with installation.database.begin() as tx:
        assert pause_form(tx, command, lambda _: None)
