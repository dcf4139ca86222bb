"""What the API does about people: sign-ups, what stands, stops, and evidence."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.consents.models import ConsentRequest
from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.clock import now
from consentledger.limits.slots import Post, Slots
from consentledger.outbox.models import OutboxRow
from tests.support.counting import set_to
from tests.web.api.caller import Caller, Made

ADA = "Ada@people.example"


@pytest.fixture
def made(alice: Caller, charlie: Caller) -> Made:
    charlie.form()
    return alice.form()


def entries(installation: Installation, caller: Caller) -> int:
    with installation.database.read() as session:
        return int(
            session.scalar(
                select(LogHead.size).where(LogHead.organisation_id == caller.member.organisation_id)
            )
            or 0
        )


def sign_up(made: Made, address: str = ADA, **more: Any) -> dict[str, Any]:
    return {"form": made.form, "address": address, "purposes": [made.purpose], **more}


def test_a_server_side_sign_up_starts_a_double_opt_in(
    installation: Installation, alice: Caller, made: Made
) -> None:
    before = entries(installation, alice)
    body = sign_up(
        made,
        version=1,
        page="https://shop.example/checkout",
        ip="203.0.113.77",
        user_agent="Mozilla/5.0 Firefox/145.0",
        condition="a voucher of 5 EUR",
    )
    first = alice.post("/consents", body, 202, Idempotency_Key="a")
    assert first["entry_index"] == before
    assert len(first["leaf_hash"]) == 64
    assert alice.post("/consents", body, 202, Idempotency_Key="a") == first
    assert entries(installation, alice) == before + 1
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentRequest)) == 1
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 1
    status = alice.post("/contacts:status", {"address": ADA.lower()})
    assert status["known"] is True
    [consent] = status["consents"]
    assert (consent["sender"], consent["purpose"]) == (made.sender, made.purpose)
    assert (consent["channel"], consent["state"]) == ("email", "requested")


@pytest.fixture
def within(alice: Caller) -> Iterator[None]:
    """A clock that stands within a window, so that no test counts around its edge."""
    with time_machine.travel(now().replace(minute=1) + timedelta(hours=1), tick=False):
        yield


@pytest.mark.usefixtures("within")
def test_sign_ups_have_the_limits_of_a_form(
    installation: Installation, alice: Caller, made: Made
) -> None:
    for n in range(6):
        alice.post("/consents", sign_up(made, ip=f"203.0.113.{n}"), 202)
    before = entries(installation, alice)
    for spelling in (ADA, ADA.upper()):
        answer = alice.call("POST", "/consents", sign_up(made, spelling, ip="198.51.100.9"))
        assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
        assert 0 < int(answer.headers["Retry-After"]) <= 3_600
    assert entries(installation, alice) == before


@pytest.mark.usefixtures("within")
def test_whom_a_server_names_is_limited_else_its_key(
    installation: Installation, alice: Caller, made: Made
) -> None:
    person, nobody = sign_up(made, ip="::ffff:203.0.113.77"), sign_up(made)
    organisation, key = alice.member.organisation_id, alice.member.key.key_id
    slots = Slots(installation.settings.secrets.secret_keys[-1])
    for body, remote in ((person, "203.0.113.77"), (nobody, None)):
        alice.post("/consents", body, 202)
        post = Post(remote, "", UUID(made.form), organisation)
        slot, *_ = slots.named(post, key, now().timestamp())
        set_to(installation.database, (slot,), 600)
        before = entries(installation, alice)
        answer = alice.call("POST", "/consents", body)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 600
        assert entries(installation, alice) == before
    alice.post("/consents", sign_up(made, ip="203.0.113.78"), 202)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"address": "ada"}, "address", "no_at"),
        ({"address": "a@@people.example"}, "address", "two_at"),
        ({"address": "ada@people.example\r\nBcc: x@y.example"}, "address", "control_character"),
        ({"address": "x" * 255 + "@people.example"}, "address", "too_long"),
        ({"purposes": []}, "purposes", "missing"),
        ({"purposes": ["01890000-0000-7000-8000-000000000000"]}, "purposes.0", "unknown"),
        ({"form": "x"}, "form", "type"),
        ({"confirmed": True}, "confirmed", "unknown"),
        ({"ip": "203.0.113.256"}, "ip", "format"),
        ({"condition": "x" * 501}, "condition", "too_long"),
        ({"condition": "a voucher\nand more"}, "condition", "control_character"),
        ({"collected_by": "\u202eHbmG"}, "collected_by", "control_character"),
        ({"age_band": ""}, "age_band", "missing"),
        ({"page": "https://shop.example/" + "x" * 2000}, "page", "too_long"),
        ({"version": 2**70}, "version", "range"),
        ({"version": "1"}, "version", "type"),
    ],
)
def test_a_wrong_sign_up_names_its_field_and_records_nothing(
    installation: Installation,
    alice: Caller,
    made: Made,
    change: dict[str, Any],
    field: str,
    reason: str,
) -> None:
    before = entries(installation, alice)
    problem = alice.post("/consents", {**sign_up(made), **change}, 422)
    assert [(each["field"], each["reason"]) for each in problem["errors"]] == [(field, reason)]
    assert entries(installation, alice) == before


def test_a_version_that_never_was_takes_nobody(
    installation: Installation, alice: Caller, made: Made
) -> None:
    before = entries(installation, alice)
    alice.post("/consents", sign_up(made, version=99), 404)
    assert entries(installation, alice) == before


def test_an_unpublished_or_foreign_form_takes_nobody(
    installation: Installation, alice: Caller, charlie: Caller, made: Made
) -> None:
    theirs = charlie.call("POST", "/consents", sign_up(made))
    unknown = charlie.call(
        "POST", "/consents", {**sign_up(made), "form": "01890000-0000-7000-8000-000000000000"}
    )
    alice.post(f"/forms/{made.form}:unpublish")
    down = alice.call("POST", "/consents", sign_up(made))
    assert (theirs.status_code, unknown.status_code, down.status_code) == (404, 404, 404)
    assert theirs.data == unknown.data == down.data
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentRequest)) == 0


def test_a_stop_told_by_letter_is_recorded(
    installation: Installation, alice: Caller, charlie: Caller, made: Made
) -> None:
    before = entries(installation, alice)
    body = {"address": ADA, "sender": made.sender, "purpose": made.purpose}
    first = alice.post("/withdrawals", body, 201, Idempotency_Key="w")
    assert first["scope"] == "purpose"
    assert first["entry_index"] == before
    assert alice.post("/withdrawals", body, 201, Idempotency_Key="w") == first
    assert alice.post("/withdrawals", {"address": ADA}, 201)["scope"] == "organisation"
    assert entries(installation, alice) == before + 2
    status = alice.post("/contacts:status", {"address": ADA})
    assert [each["scope"] for each in status["objections"]] == ["purpose", "organisation"]
    nothing = charlie.post("/contacts:status", {"address": ADA})
    assert nothing.pop("confirmation_blocked_until") is None
    assert nothing == {"known": False, "consents": [], "objections": [], "flags": []}


def test_a_stop_for_what_is_not_there_is_refused(
    installation: Installation, alice: Caller, charlie: Caller, made: Made
) -> None:
    before = entries(installation, charlie)
    foreign = {"address": ADA, "sender": made.sender}
    assert charlie.call("POST", "/withdrawals", foreign).status_code == 404
    problem = alice.post("/withdrawals", {"address": ADA, "purpose": made.purpose}, 422)
    assert problem["errors"][0]["field"] == "sender"
    alice.post("/withdrawals", {"address": "ada"}, 422)
    assert entries(installation, charlie) == before


def test_evidence_is_taken_away_as_a_bundle(alice: Caller, charlie: Caller, made: Made) -> None:
    alice.post("/consents", sign_up(made), 202)
    answer = alice.call("POST", "/evidence", {"address": ADA})
    assert answer.status_code == 200, answer.data[:500]
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert {"README.txt", "manifest", "checkpoint", "policy.txt"} <= set(names)
    theirs = charlie.call("POST", "/evidence", {"address": ADA})
    nobody = charlie.call("POST", "/evidence", {"address": "nobody@people.example"})
    assert (theirs.status_code, theirs.data) == (nobody.status_code, nobody.data)
    assert theirs.status_code == 404
    assert alice.post("/evidence", {"address": "ada"}, 422)["errors"][0]["field"] == "address"
