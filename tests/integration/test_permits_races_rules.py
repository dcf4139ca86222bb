"""Promise 2 against all that a decision turns on: stops, customers' objections, rule packs, categories, registers.

Each race is run with the act right between facts and lock, and with both at once; the auditor reads the log in order
and decides every line again. With the second look left out it must see what goes wrong: else it would show nothing.
"""

from __future__ import annotations

import random

import pytest

from consentledger.db.installation import Installation
from consentledger.permits.lines import Row
from consentledger.permits.service import Issue
from tests.support.permits import make_shop
from tests.support.races import KINDS, Races


class Blind(Issue):
    """The protocol without its second look."""

    def look_again(self, size: int) -> list[tuple[int, Row]]:
        """Looks at nothing."""
        return []


@pytest.fixture
def races(installation: Installation) -> Races:
    """Customers, a pack, a tree and a register; the dice are the same each time."""
    shop = make_shop(installation.database, installation.settings)
    return Races(shop, random.Random(11)).begin()


def test_nothing_that_comes_in_between_is_missed(races: Races) -> None:
    for kind in KINDS:
        for between in (True, True, False, False, False):
            races.run(kind, between=between)
    found = races.audit()
    assert found.permits == 12 * 5 * len(KINDS)
    assert 0 < found.allowed < found.permits
    assert (found.against, found.wrong) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_race_is_lost_without_the_second_look(races: Races, kind: str) -> None:
    for _ in range(3):
        races.run(kind, Blind, between=True)
    found = races.audit()
    assert found.against > 0
    assert found.wrong > 0
