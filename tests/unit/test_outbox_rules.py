"""How long failed work waits, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from consentledger.outbox.rules import RetryPolicy

POLICY = RetryPolicy(most=5, first=4, longest=100)


def test_the_wait_doubles_up_to_the_longest():
    waits = [POLICY.wait(attempt, lambda: 1.0).total_seconds() for attempt in range(1, 8)]
    assert waits == [4, 8, 16, 32, 64, 100, 100]


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_jitter_stays_between_half_and_all(attempt: int, chance: float):
    whole = POLICY.wait(attempt, lambda: 1.0)
    assert whole / 2 <= POLICY.wait(attempt, lambda: chance) <= whole <= timedelta(seconds=100)


def test_the_last_try():
    assert [POLICY.exhausted(attempt) for attempt in (1, 4, 5, 6)] == [False, False, True, True]
