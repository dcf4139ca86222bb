"""When a form pauses itself: at fifty mails of which less than a tenth were confirmed, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from consentledger.kernel.ids import first_uuid7, uuid7
from consentledger.organisations.pause_rules import reason_to_pause, window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mailed", "confirmed", "reason"),
    [
        (0, 0, None),
        (49, 0, None),
        (50, 0, "unconfirmed"),
        (50, 4, "unconfirmed"),
        (50, 5, None),
        (1000, 99, "unconfirmed"),
        (1000, 100, None),
        (1009, 100, "unconfirmed"),
    ],
)
def test_a_form_pauses_at_too_few_confirmed(mailed: int, confirmed: int, reason: str | None):
    assert reason_to_pause(mailed, confirmed) == reason


def test_people_get_an_hour_and_yesterday_does_not_count():
    assert window(NOON) == (NOON - timedelta(hours=24), NOON - timedelta(hours=1))


def test_ids_made_from_an_instant_on_are_not_below_its_first():
    before = datetime.now(UTC)
    made = [uuid7() for _ in range(100)]
    assert all(first_uuid7(before) <= each for each in made)
    assert all(each < first_uuid7(before + timedelta(hours=1)) for each in made)
    assert first_uuid7(datetime.fromtimestamp(1.001, UTC)) == UUID(
        "00000000-03e9-7000-8000-000000000000"
    )
