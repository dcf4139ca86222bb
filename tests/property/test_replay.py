"""Whatever people do, in whatever order: the rows are what a replay gives, and a rebuild keeps them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consentledger.db.installation import Installation
from consentledger.replay.service import fsck
from tests.property.test_consent_machine import _ACTS, Life
from tests.support.consents import People, people


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop whose form has two boxes."""
    return people(installation, "weekly offers", "herb tips")


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(_ACTS, min_size=3, max_size=14))
def test_rows_are_what_the_log_gives(
    installation: Installation, shop: People, acts: list[tuple[Any, ...]]
) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 12, tzinfo=UTC), tick=False) as clock:
        life = Life(shop, clock)
        for act in acts:
            life.act(*act)
            clock.shift(1)
        report = fsck(installation, shop.org)
    # The machine's permits are rows without an entry, so that its links need no batch.
    found = [one for one in report.findings if not one.where.startswith("permit")]
    assert found == []
