"""Permit lines of version 1: the flat array, its one line, and what no reader may take."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import astuple, replace

import pytest

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.disclosure import Value, make_disclosure
from consentledger.ledger.first_permit import (
    FirstPermit,
    first_permit_disclosure,
    first_permit_line,
    first_permit_line_hash,
    first_permit_of,
    parse_first_permit,
)

SALT = bytes(range(16))
PERMIT = FirstPermit("A" * 16, 3, "c-1", "confirmed", "none", True, "consent", "consent", "2026")


def test_round_trip() -> None:
    for permit in (
        PERMIT,
        replace(PERMIT, contact=None, allowed=False, basis=None, valid_until=None),
    ):
        assert parse_first_permit(first_permit_disclosure(SALT, permit)) == permit


def test_the_line_by_hand() -> None:
    disclosure = first_permit_disclosure(SALT, PERMIT)
    digest = hashlib.sha256(disclosure.encode()).digest()
    commitment = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    line = f"consentledger/permit/v1 {commitment}".encode()
    assert first_permit_line(disclosure) == line
    assert first_permit_line_hash(disclosure) == hashlib.sha256(b"\x00" + line).digest()


def test_the_salt_has_16_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        first_permit_disclosure(bytes(32), PERMIT)
    longer = make_disclosure(bytes(32), "permit", list(astuple(PERMIT)))
    with pytest.raises(VerificationError, match="16 bytes"):
        parse_first_permit(longer)


def test_another_name_is_no_permit() -> None:
    with pytest.raises(VerificationError, match="not named permit"):
        parse_first_permit(make_disclosure(SALT, "decision", list(astuple(PERMIT))))


@pytest.mark.parametrize(
    "value",
    [
        None, "x", [], list(astuple(PERMIT))[:-1], [*astuple(PERMIT), 1],
        [1, *astuple(PERMIT)[1:]],
        ["A", True, *astuple(PERMIT)[2:]],
        [*astuple(PERMIT)[:5], 1, *astuple(PERMIT)[6:]],
        [*astuple(PERMIT)[:8], 7],
    ],
    ids=range(9),
)  # fmt: skip
def test_wrong_shapes(value: Value) -> None:
    with pytest.raises(VerificationError):
        first_permit_of(value)
