"""What erasure decides without a database: ranges, parts, days, and the table that docs/erasure.md shows."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from consentledger.erasure.rules import (
    MAX_DAYS,
    RETENTION,
    Plan,
    check_days,
    check_text,
    parts_of,
    permit_ranges_of,
    ranges_of,
)
from consentledger.kernel.errors import InputError

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_rows_of_permits_stand_under_their_entries() -> None:
    places = [(57, 9, 4), (12, 8, 0), (57, 9, 3), (57, 9, 9)]
    assert permit_ranges_of(places) == ["12:0", "57:3-4", "57:9"]
    assert permit_ranges_of([]) == []


def test_a_part_may_hold_permits_only() -> None:
    [part] = parts_of([], ["12:0"], reason="erased")
    assert (part["ranges"], part["permits"], part["reason"]) == ("none", "12:0", "erased")
    ranges, permits = ranges_of(range(0, 4000, 2)), [f"{n}:{n}" for n in range(3000)]
    parts = parts_of(ranges, permits)
    assert [part["part"] for part in parts] == ["1/4", "2/4", "3/4", "4/4"]
    for name, wanted in (("ranges", ranges), ("permits", permits)):
        said = [part[name] for part in parts if part[name] != "none"]
        assert ",".join(said).split(",") == wanted
    assert parts_of([], []) == []


def test_plans_travel_as_json_also_those_of_the_first_version() -> None:
    plan = Plan(uuid4(), True, 4, (1, 2), (uuid4(),), ((57, 9, 4),), uuid4(), True)
    assert Plan.from_json(plan.as_json()) == plan
    old = {k: plan.as_json()[k] for k in ("contact", "whole", "entries", "indexes", "requests")}
    assert Plan.from_json(old) == Plan(plan.contact_id, True, 4, (1, 2), plan.request_ids)


@pytest.mark.parametrize("days", [-1, MAX_DAYS + 1])
def test_days_have_a_range(days: int) -> None:
    with pytest.raises(InputError):
        check_days(days, "keep_for_claims_days", 0)


@pytest.mark.parametrize("text", ["", "  ", "x" * 301, "a\u202eb", "a\x00b"])
def test_reasons_are_one_printable_line(text: str) -> None:
    with pytest.raises(InputError):
        check_text(text, "reason")


def test_the_table_of_retention_is_the_documented_one() -> None:
    page = (DOCS / "erasure.md").read_text()
    for one in RETENTION:
        row = f"| `{one.kind}` | {one.opening_class} | {one.days} | {one.since} | {one.ended_by} |"
        assert row in page
