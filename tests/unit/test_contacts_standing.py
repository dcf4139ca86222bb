"""What acts make of a standing, and what a standing says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consentledger.contacts import standing as standings
from consentledger.kernel.clock import to_text

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
S, T, P, Q = "sender-1", "sender-2", "purpose-1", "purpose-2"


def act(
    kind: str, sender: str | None = S, purpose: str | None = P, **more: Any
) -> tuple[str, dict[str, Any]]:
    """One entry's kind and values."""
    values = {
        "sender": sender,
        "purpose": purpose,
        "channel": "email",
        "consent": f"{sender}-{purpose}",
        "at": to_text(NOW),
        **more,
    }
    return kind, values


def confirm(sender: str = S, purpose: str = P, **more: Any) -> tuple[str, dict[str, Any]]:
    """A confirmation."""
    return act("consent.confirmed", sender, purpose, **more)


def stop(
    scope: str, sender: str | None = S, purpose: str | None = P, **more: Any
) -> tuple[str, dict[str, Any]]:
    """A stop."""
    return act("objection.recorded", sender, purpose, **{"scope": scope, "until": None, **more})


def until(**delta: int) -> str:
    """An instant from now."""
    return to_text(NOW + timedelta(**delta))


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        ([], "none"),
        ([confirm()], "confirmed"),
        ([confirm(T)], "none"),
        ([confirm(S, Q)], "none"),
        ([confirm(channel="sms")], "none"),
        ([confirm(), act("consent.withdrawn")], "withdrawn"),
        ([confirm(), act("consent.withdrawn"), confirm()], "confirmed"),
        ([confirm(), act("consent.declined", reason="dropped")], "confirmed"),
        ([act("consent.declined", reason="not_me")], "none"),
        ([confirm(), stop("purpose")], "withdrawn"),
        ([confirm(), stop("purpose", purpose=Q)], "confirmed"),
        ([confirm(), stop("sender", purpose=None)], "withdrawn"),
        ([confirm(), stop("sender", T, None)], "confirmed"),
        ([confirm(), stop("organisation", None, None)], "withdrawn"),
        ([confirm(), stop("organisation", None, None, channel="sms")], "withdrawn"),
        ([confirm(), stop("sender", purpose=None, channel="sms")], "confirmed"),
        ([stop("organisation", None, None), confirm()], "confirmed"),
        ([confirm(), stop("sender", purpose=None, until=until(days=7))], "paused"),
        ([confirm(), stop("sender", purpose=None, until=until())], "confirmed"),
        ([confirm(), stop("sender", purpose=None, until=until(days=7)), confirm()], "confirmed"),
        (
            [
                confirm(),
                stop("sender", purpose=None, until=until(days=7)),
                stop("sender", purpose=None, until=until()),
            ],
            "paused",
        ),
        (
            [
                confirm(),
                stop("sender", purpose=None, until=until(days=7)),
                stop("sender", purpose=None),
            ],
            "withdrawn",
        ),
        ([confirm(), ("consent.expired", {"at": to_text(NOW)})], "confirmed"),
    ],
)
def test_states(acts: list[tuple[str, dict[str, Any]]], state: str) -> None:
    standing = standings.replay(acts)
    assert standings.consent_state(standing, S, P, "email", NOW) == state
    assert json.loads(json.dumps(standing)) == standing


def test_a_stop_for_everybody_reaches_what_has_no_consent() -> None:
    standing = standings.replay([stop("organisation", None, None)])
    found = standings.objection(standing, S, P, "email", NOW)
    assert found is not None
    assert found["scope"] == "organisation"
    assert standings.objection(standings.empty(), S, P, "email", NOW) is None


def test_what_was_asked_before_a_stop_is_void() -> None:
    standing = standings.replay([confirm(), stop("purpose"), confirm()])
    assert not standings.stopped_since(standing, S, P, "email", 1, NOW)
    assert standings.stopped_since(standing, S, P, "email", 0, NOW)
    left = standings.replay([confirm(), act("consent.withdrawn")])
    assert standings.stopped_since(left, S, P, "email", 0, NOW)
    assert not standings.stopped_since(left, S, P, "email", 1, NOW)
    assert not standings.stopped_since(left, S, Q, "email", 0, NOW)
    paused = standings.replay([stop("sender", purpose=None, until=until(days=7))])
    assert standings.stopped_since(paused, S, P, "email", -1, NOW)
    assert not standings.stopped_since(paused, S, P, "email", -1, NOW + timedelta(days=7))
    assert not standings.stopped_since(paused, T, P, "email", -1, NOW)


@pytest.mark.parametrize(
    ("acts", "closed"),
    [
        ([confirm()], {}),
        ([act("consent.declined", reason="dropped")], {"email": 0}),
        ([confirm(), act("consent.withdrawn")], {"email": 1}),
        ([stop("purpose")], {"email": 0}),
        ([stop("purpose", until=until(days=7))], {}),
        ([("consent.expired", {"at": to_text(NOW)})], {}),
    ],
)
def test_what_closes_the_customer_exception(
    acts: list[tuple[str, dict[str, Any]]], closed: dict[str, int]
) -> None:
    assert standings.replay(acts)["closed"] == closed


def test_what_must_be_remembered() -> None:
    assert not standings.living(standings.empty(), NOW)
    assert standings.living(standings.replay([confirm(), act("consent.withdrawn")]), NOW)
    assert standings.living(standings.replay([stop("purpose")]), NOW)
    pause = standings.replay([stop("purpose", until=until(days=7))])
    assert standings.living(pause, NOW)
    assert not standings.living(pause, NOW + timedelta(days=7))


def test_a_standing_is_never_changed_in_place() -> None:
    before = standings.replay([confirm()])
    kept = json.dumps(before)
    for kind, values in (act("consent.withdrawn"), stop("purpose"), confirm(T)):
        standings.apply(before, kind, values, n=1, at=to_text(NOW))
    assert json.dumps(before) == kept
