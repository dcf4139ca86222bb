"""What may be asked: every slip names its field and a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from consentledger.kernel.errors import InputError
from consentledger.permits.reading import read_message, read_recipient
from consentledger.permits.rechecks import read_ids
from consentledger.permits.rules import IssuePermits, check, send_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "sender": str(uuid4()),
    "purpose": str(uuid4()),
    "channel": "email",
    "recipients": ["ann@example.org"],
}


def test_a_message_is_read_with_its_defaults() -> None:
    read = read_message(GOOD, uuid4(), "key:1", NOW)
    assert read.recipients == ("ann@example.org",)
    assert (read.message_class, read.campaign, read.contains) == ("marketing", None, ())
    assert (read.categories, read.send_at, read.tracking) == (None, None, None)
    assert (read.countries, read.persons, read.capacities) == ((), (), ())
    assert read.valid_for == timedelta(hours=1)
    assert "ann@" not in repr(read)


def test_recipients_may_be_objects() -> None:
    body = {**GOOD, "recipients": ["a@b.example", {"address": "c@d.example"}]}
    assert read_message(body, uuid4(), "key:1", NOW).recipients == ("a@b.example", "c@d.example")


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
        ({"class": "transactional"}, "class", "unknown"),
        ({"class": ["marketing"]}, "class", "unknown"),
        ({"contains": "survey"}, "contains", "type"),
        ({"contains": ["survey", "joke"]}, "contains[1]", "unknown"),
        ({"contains": [["survey"]]}, "contains", "type"),
        ({"categories": "garden"}, "categories", "type"),
        ({"categories": ["garden", "Garden/Tools"]}, "categories[1]", "format"),
        ({"categories": ["garden//tools"]}, "categories[0]", "format"),
        ({"categories": [f"c{n}" for n in range(51)]}, "categories", "too_many"),
        ({"tracking": "opens"}, "tracking", "format"),
        ({"tracking": str(uuid4()), "class": "tracking"}, "tracking", "class"),
        ({"send_at": "2026-11-22T11:58:59Z"}, "send_at", "past"),
        ({"send_at": "2026-11-22T13:00:01Z"}, "send_at", "too_far"),
        ({"send_at": "2026-11-22T12:30:00"}, "send_at", "format"),
        ({"send_at": "2026-11-22"}, "send_at", "format"),
        ({"send_at": "2026-02-30T12:30:00Z"}, "send_at", "format"),
        ({"send_at": "0001-01-01T00:00:00+23:59"}, "send_at", "format"),
        ({"send_at": 1795350000}, "send_at", "format"),
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
        ({"recipients": [{"address": "a", "country": "QQ"}]}, "recipients[0].country", "unknown"),
        ({"recipients": ["a", {"address": "a", "country": 49}]}, "recipients[1].country", "type"),
        ({"recipients": [{"address": "a", "person": "robot"}]}, "recipients[0].person", "unknown"),
        (
            {"recipients": [{"address": "a", "person": ["legal"]}]},
            "recipients[0].person",
            "unknown",
        ),
        ({"recipients": [{"address": "a", "capacity": 1}]}, "recipients[0].capacity", "unknown"),
        ({"audience": "all"}, "audience", "unknown"),
    ],
)
def test_a_slip_is_named(change: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_message({**GOOD, **change}, uuid4(), "key:1", NOW)
    assert (caught.value.field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"valid_for": timedelta(hours=25)}, "valid_for"),
        ({"valid_for": timedelta(0)}, "valid_for"),
        ({"recipients": ()}, "recipients"),
        ({"campaign": "a b"}, "campaign"),
        ({"message_class": "transactional"}, "class"),
        ({"contains": ("joke",)}, "contains[0]"),
        ({"categories": ("a b",)}, "categories[0]"),
        ({"countries": ("DE", "AT")}, "countries"),
        ({"persons": ("legal", "legal")}, "persons"),
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


def test_what_is_said_of_recipients_stands_beside_them() -> None:
    people = [
        {"address": "a@b.example", "country": "DE", "person": "legal", "capacity": "impersonal"},
        "c@d.example",
        {"address": "e@f.example", "country": None, "person": None},
    ]
    read = read_message({**GOOD, "recipients": people}, uuid4(), "key:1", NOW)
    assert read.recipients == ("a@b.example", "c@d.example", "e@f.example")
    assert read.countries == ("DE", None, None)
    assert read.persons == ("legal", None, None)
    assert read.capacities == ("impersonal", None, None)
    only = read_message({**GOOD, "recipients": people[1:]}, uuid4(), "key:1", NOW)
    assert (only.countries, only.persons, only.capacities) == ((), (), ())


@pytest.mark.parametrize(
    ("said", "country"),
    [("at", "AT"), ("ca-qc", "CA"), ("US-CA", "US"), ("UK", "GB"), ("el", "GR"), ("", None)],
)
def test_a_country_may_be_written_otherwise(said: str, country: str | None) -> None:
    assert read_recipient({"address": "a", "country": said}, "line 7")[1] == country


def test_one_row_is_named_as_its_reader_calls_it() -> None:
    with pytest.raises(InputError) as caught:
        read_recipient({"address": "a", "country": "XX"}, "line 400001")
    assert (caught.value.field, caught.value.reason) == ("line 400001.country", "unknown")


def test_a_message_says_what_it_holds_and_when_it_goes() -> None:
    body = {
        **GOOD, "class": "service", "contains": ["survey", "promotion", "survey"], "categories": ["garden/tools"],
        "send_at": "2026-11-22T13:30:00+01:00", "tracking": str(UUID(int=7)),
    }  # fmt: skip
    read = read_message(body, uuid4(), "key:1", NOW)
    assert (read.message_class, read.contains) == ("service", ("promotion", "survey"))
    assert (read.categories, read.tracking) == (("garden/tools",), UUID(int=7))
    assert read.send_at == NOW + timedelta(minutes=30)


def test_a_batch_never_goes_out_before_it_is_decided() -> None:
    read = read_message({**GOOD, "send_at": "2026-11-22T11:59:30Z"}, uuid4(), "key:1", NOW)
    assert send_at(read, NOW) == NOW  # clocks differ by a little
    later = replace(read, send_at=NOW + timedelta(minutes=5))
    assert send_at(later, NOW) == NOW + timedelta(minutes=5)
    assert send_at(later, NOW + timedelta(minutes=9)) == NOW + timedelta(minutes=9)
    assert send_at(replace(read, send_at=None), NOW) == NOW


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
