"""What may be asked: every slip names its field and a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from consentledger.kernel.errors import InputError
from consentledger.law.first.packs import default_pack
from consentledger.permits.rechecks import read_ids
from consentledger.permits.rules import IssuePermits, Rulings, check, read_message

GOOD: dict[str, Any] = {
    "sender": str(uuid4()),
    "purpose": str(uuid4()),
    "channel": "email",
    "recipients": ["ann@example.org"],
}


def test_a_message_is_read_with_its_defaults() -> None:
    read = read_message(GOOD, uuid4(), "key:1")
    assert read.recipients == ("ann@example.org",)
    assert (read.message_class, read.campaign) == ("marketing", None)
    assert read.valid_for == timedelta(hours=1)
    assert "ann@" not in repr(read)


def test_recipients_may_be_objects() -> None:
    body = {**GOOD, "recipients": ["a@b.example", {"address": "c@d.example"}]}
    assert read_message(body, uuid4(), "key:1").recipients == ("a@b.example", "c@d.example")


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"sender": None}, "sender", "missing"),
        ({"sender": "x"}, "sender", "format"),
        ({"sender": 7}, "sender", "type"),
        ({"sender": "{" + str(uuid4()) + "}"}, "sender", "format"),
        ({"purpose": None}, "purpose", "missing"),
        ({"purpose": "x" * 100}, "purpose", "type"),
        ({"channel": None}, "channel", "missing"),
        ({"channel": 1}, "channel", "type"),
        ({"class": "service"}, "class", "unknown"),
        ({"class": ["marketing"]}, "class", "unknown"),
        ({"campaign": "a b"}, "campaign", "format"),
        ({"campaign": "a\r\nBcc: x"}, "campaign", "format"),
        ({"campaign": "=?utf-8?q?x?="}, "campaign", "format"),
        ({"campaign": "c" * 65}, "campaign", "format"),
        ({"campaign": ""}, "campaign", "format"),
        ({"valid_for": 0}, "valid_for", "range"),
        ({"valid_for": 86_401}, "valid_for", "range"),
        ({"valid_for": 60.0}, "valid_for", "range"),
        ({"valid_for": True}, "valid_for", "range"),
        ({"recipients": None}, "recipients", "missing"),
        ({"recipients": []}, "recipients", "missing"),
        ({"recipients": "a@b.example"}, "recipients", "type"),
        ({"recipients": ["a@b.example"] * 10_001}, "recipients", "too_many"),
        ({"recipients": ["a@b.example", 5]}, "recipients[1]", "type"),
        ({"recipients": [None]}, "recipients[0]", "type"),
        ({"recipients": [{"email": "a@b.example"}]}, "recipients[0].address", "missing"),
        ({"recipients": [{"address": "a@b.example", "age": 3}]}, "recipients[0].age", "unknown"),
        ({"audience": "all"}, "audience", "unknown"),
    ],
)
def test_a_slip_is_named(change: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_message({**GOOD, **change}, uuid4(), "key:1")
    assert (caught.value.field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"valid_for": timedelta(hours=25)}, "valid_for"),
        ({"valid_for": timedelta(0)}, "valid_for"),
        ({"recipients": ()}, "recipients"),
        ({"campaign": "a b"}, "campaign"),
        ({"message_class": "service"}, "class"),
    ],
)
def test_a_command_made_by_code_is_held_to_the_same(change: dict[str, Any], field: str) -> None:
    made: dict[str, Any] = {
        "organisation_id": uuid4(), "sender_id": uuid4(), "purpose_id": uuid4(), "channel": "email",
        "recipients": ("a@b.example",), "actor": "operator", **change,
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        check(IssuePermits(**made))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({}, "permits", "missing"),
        ({"permits": []}, "permits", "missing"),
        ({"permits": "x"}, "permits", "missing"),
        ({"permits": ["A" * 16] * 10_001}, "permits", "too_many"),
        ({"permits": ["A" * 16, "x"]}, "permits[1]", "format"),
        ({"permits": ["A" * 16 + "." + "B" * 16]}, "permits[0]", "format"),
        ({"permits": ["A" * 16], "now": 1}, "now", "unknown"),
    ],
)
def test_ids_to_recheck_are_read_strictly(body: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ids(body)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_each_pattern_of_facts_is_ruled_once() -> None:
    rulings = Rulings(default_pack(), "marketing", "email", datetime(2026, 1, 1, tzinfo=UTC))
    numbers = [
        rulings.number("record", "confirmed", "none"),
        rulings.number("stranger"),
        rulings.number("record", "confirmed", "none"),
        rulings.number("invalid"),
    ]
    assert numbers == [0, 1, 0, 2]
    assert [ruling.verdict.codes for ruling in rulings.list] == [
        "consent",
        "no_basis",
        "invalid_address",
    ]
