"""Decisions about requests: pure, by table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.consents import rules
from consentledger.contacts import standing as standings
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import InputError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SENDER, OFFERS, TIPS = uuid4(), uuid4(), uuid4()


def confirmed(*purposes: UUID) -> standings.Standing:
    """A standing with these consents."""
    standing = standings.empty()
    for n, purpose in enumerate(purposes):
        values = {
            "consent": str(uuid4()),
            "sender": str(SENDER),
            "purpose": str(purpose),
            "channel": "email",
        }
        standing = standings.apply(standing, "consent.confirmed", values, n=n, at=to_text(NOW))
    return standing


def decide(**more: Any) -> str:
    """Decides an ordinary request of an unknown address."""
    facts: dict[str, Any] = {
        "now": NOW,
        "expires_at": NOW + timedelta(days=7),
        "blocked": False,
        "last_mail_at": None,
        "standing": standings.empty(),
        "sender": SENDER,
        "purposes": [OFFERS],
        "channel": "email",
        **more,
    }
    return rules.decide(**facts)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        ({}, "send"),
        ({"blocked": True}, "suppressed"),
        ({"blocked": True, "standing": confirmed(OFFERS)}, "suppressed"),
        ({"expires_at": NOW}, "given_up"),
        ({"last_mail_at": NOW - timedelta(hours=23, minutes=59)}, "capped"),
        ({"last_mail_at": NOW - timedelta(hours=24)}, "send"),
        ({"last_mail_at": NOW + timedelta(seconds=5)}, "capped"),
        ({"standing": confirmed(OFFERS)}, "already_confirmed"),
        ({"standing": confirmed(OFFERS), "last_mail_at": NOW}, "already_confirmed"),
        ({"standing": confirmed(OFFERS), "purposes": [OFFERS, TIPS]}, "send"),
        ({"standing": confirmed(OFFERS), "channel": "sms"}, "send"),
        ({"standing": confirmed(OFFERS), "sender": uuid4()}, "send"),
    ],
)
def test_decisions(facts: dict[str, Any], decision: str) -> None:
    assert decide(**facts) == decision


@pytest.mark.parametrize(
    ("free", "left", "waits"),
    [
        (timedelta(hours=9), timedelta(days=7), True),
        (timedelta(hours=9), timedelta(hours=10), True),
        (timedelta(hours=9), timedelta(hours=10) - timedelta(microseconds=1), False),
        (timedelta(hours=9), timedelta(hours=9), False),
        (None, timedelta(days=7), False),
    ],
)
def test_a_request_waits_only_if_its_link_would_work_an_hour_more(
    free: timedelta | None, left: timedelta, waits: bool
) -> None:
    free_at = None if free is None else NOW + free
    assert rules.later(free_at, NOW + left) == (free_at if waits else None)


@given(st.uuids(), st.uuids())
def test_items_are_read_as_written(request: UUID, purpose: UUID) -> None:
    assert rules.parse_item(rules.item_id(request, purpose)) == (request, purpose)


@given(st.text(max_size=80))
def test_other_items_are_refused(text: str) -> None:
    try:
        found = rules.parse_item(text)
    except InputError:
        return
    assert rules.item_id(*found) == text


@pytest.mark.parametrize(
    ("shown", "kept", "reason"),
    [
        ((), (), "missing"),
        (("a", "a"), (), "double"),
        (("a", "b"), ("a", "a"), "double"),
        (("a",), ("b",), "not_shown"),
    ],
)
def test_choices_that_make_no_sense(
    shown: tuple[str, ...], kept: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        rules.check_choice(shown, kept)
    assert caught.value.reason == reason
