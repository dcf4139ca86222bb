"""Permit lines: the flat array, its one line, and what no reader may take."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import astuple, replace
from typing import Any

import pytest

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.disclosure import make_disclosure
from consentledger.ledger.permit import (
    Permit,
    parse_permit,
    permit_disclosure,
    permit_line,
    permit_line_hash,
    permit_of,
)

SALT = bytes(range(16))
PERMIT = Permit(
    permit="A" * 16, row=3, contact="c-1", entry=0, recipient="record", countries="AT,DE", person="natural",
    capacity="private", consent="confirmed", grade="double_opt_in", consented_on="current", sent_on="2026-11-01",
    objection="none", closed=False, customer="sale_paid current - - similar same_person directly offered",
    listed="AT-ECG", tracking="none", packs="AT@1,DE@1", verdict="allow", basis="consent", reasons="consent",
    valid_until="2026-11-22T12:00:00.000000Z",
)  # fmt: skip
DENIAL = replace(PERMIT, verdict="deny", basis=None, valid_until=None, reasons="withdrawn,closed")
STRANGER = replace(DENIAL, contact=None, recipient="stranger", entry=None, customer=None)


@pytest.mark.parametrize("permit", [PERMIT, DENIAL, STRANGER, replace(DENIAL, verdict="review")])
def test_round_trip(permit: Permit) -> None:
    assert parse_permit(permit_disclosure(SALT, permit)) == permit


def test_only_allow_allows() -> None:
    allowed = [replace(PERMIT, verdict=verdict).allowed for verdict in ("allow", "deny", "review")]
    assert allowed == [True, False, False]


def test_the_line_by_hand() -> None:
    disclosure = permit_disclosure(SALT, PERMIT)
    digest = hashlib.sha256(disclosure.encode()).digest()
    commitment = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    line = f"consentledger/permit/v2 {commitment}".encode()
    assert permit_line(disclosure) == line
    assert permit_line_hash(disclosure) == hashlib.sha256(b"\x00" + line).digest()


def test_the_disclosure_by_hand() -> None:
    disclosure = permit_disclosure(SALT, STRANGER)
    text = base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)).decode()
    assert text == (
        '["AAECAwQFBgcICQoLDA0ODw","permit",["AAAAAAAAAAAAAAAA",3,null,null,"stranger","AT,DE","natural",'
        '"private","confirmed","double_opt_in","current","2026-11-01","none",false,null,"AT-ECG","none",'
        '"AT@1,DE@1","deny",null,"withdrawn,closed",null]]'
    )


def test_the_salt_has_16_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        permit_disclosure(bytes(32), PERMIT)
    longer = make_disclosure(bytes(32), "permit", list(astuple(PERMIT)))
    with pytest.raises(VerificationError, match="16 bytes"):
        parse_permit(longer)


def test_another_name_is_no_permit() -> None:
    with pytest.raises(VerificationError, match="not named permit"):
        parse_permit(make_disclosure(SALT, "decision", list(astuple(PERMIT))))


@pytest.mark.parametrize(
    "value", [None, "x", [], list(astuple(PERMIT))[:-1], [*astuple(PERMIT), 1]], ids=range(5)
)
def test_wrong_shapes(value: Any) -> None:
    with pytest.raises(VerificationError, match="wrong number"):
        permit_of(value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"row": True}, "row of a permit has the wrong type"),
        ({"row": "3"}, "row of a permit has the wrong type"),
        ({"closed": 0}, "closed of a permit has the wrong type"),
        ({"closed": None}, "closed of a permit has the wrong type"),
        ({"consent": None}, "consent of a permit has the wrong type"),
        ({"entry": True}, "entry of a permit has the wrong type"),
        ({"permit": "A" * 15}, "id or the row"),
        ({"permit": "=" * 16}, "id or the row"),
        ({"row": -1}, "id or the row"),
        ({"row": 1 << 16}, "id or the row"),
        ({"countries": "de"}, "countries of a permit is malformed"),
        ({"countries": "DE,"}, "countries of a permit is malformed"),
        ({"countries": "DE,AT"}, "not sorted"),
        ({"countries": "AT,AT"}, "not sorted"),
        ({"listed": "AT-ECG,AT-ECG"}, "not sorted"),
        ({"listed": "at ecg"}, "listed of a permit is malformed"),
        ({"packs": "DE@01"}, "packs of a permit is malformed"),
        ({"packs": "DE"}, "packs of a permit is malformed"),
        ({"reasons": ""}, "no verdict, or no reason"),
        ({"reasons": "Consent"}, "reasons of a permit is malformed"),
        ({"verdict": "maybe"}, "no verdict, or no reason"),
        ({"contact": None}, "names a contact"),
        ({"recipient": "stranger"}, "names a contact"),
        ({"entry": None}, "without its entry"),
        ({"customer": None}, "without its ground"),
        ({"entry": -1}, "without its ground|without its entry"),
        ({"basis": None}, "a denial has a basis"),
        ({"valid_until": None}, "a denial has a basis"),
        ({"verdict": "deny"}, "a denial has a basis"),
        ({"verdict": "review", "basis": None}, "a denial has a basis"),
    ],
)
def test_what_no_batch_would_write_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(VerificationError, match=told):
        parse_permit(make_disclosure(SALT, "permit", list(astuple(replace(PERMIT, **change)))))
