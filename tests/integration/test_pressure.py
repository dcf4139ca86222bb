"""Pressure on both engines: which level posts make, how long it lasts, and what work and waiting may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from consentledger.db.engine import Database
from consentledger.db.installation import open_database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError
from consentledger.limits import rules
from consentledger.limits.service import HINT_SECONDS, Limiter
from tests.support.counting import (
    FORM,
    KEY,
    ORGANISATION,
    OTHER_FORM,
    post,
    pressing,
    set_to,
    slots,
)
from tests.support.installations import environment_for, settings_from


@pytest.fixture
def limiter(database: Database) -> Limiter:
    """A limiter on each engine in turn."""
    return Limiter(database, KEY)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at one minute past a window's start."""
    with time_machine.travel("2026-03-02T12:01:00+00:00", tick=False) as moved:
        yield moved


@pytest.mark.parametrize(
    ("number", "posts", "level"),
    [
        (0, 60, 0),
        (0, 61, 1),
        (0, 600, 1),
        (0, 601, 2),
        (0, 3_001, 3),
        (1, 300, 0),
        (1, 301, 1),
        (1, 3_001, 2),
        (1, 15_001, 3),
    ],
)
def test_posts_of_a_form_and_of_its_organisation_make_pressure(
    limiter: Limiter, database: Database, number: int, posts: int, level: int
) -> None:
    set_to(database, pressing()[number : number + 1], posts - 1)
    assert limiter.count_post(post()).level == level
    assert limiter.level(FORM, ORGANISATION) == level


def test_pressure_on_a_form_is_none_on_its_neighbour_until_their_organisation_feels_it(
    limiter: Limiter, database: Database
) -> None:
    set_to(database, pressing()[:1], 3_000)
    assert limiter.count_post(post(1)).level == 3
    assert limiter.count_post(post(2, form=OTHER_FORM)).level == 0
    set_to(database, pressing()[1:], 300)
    assert limiter.count_post(post(3, form=OTHER_FORM)).level == 1


def test_pressure_stays_for_the_next_window_and_then_goes(
    limiter: Limiter, database: Database, clock: time_machine.Traveller
) -> None:
    set_to(database, pressing(), 3_000)
    assert limiter.count_post(post(1)).level == 3
    clock.shift(540)
    assert limiter.level(FORM, ORGANISATION) == 3
    assert Limiter(database, KEY).count_post(post(2)).level == 3
    clock.shift(599)
    assert limiter.count_post(post(3)).level == 3
    clock.shift(1)
    assert limiter.level(FORM, ORGANISATION) == 0
    assert limiter.count_post(post(4)).level == 0


def test_the_hint_is_a_few_seconds_old_at_most(
    limiter: Limiter, database: Database, clock: time_machine.Traveller
) -> None:
    assert limiter.level(FORM, ORGANISATION) == 0
    set_to(database, pressing(), 601)
    assert limiter.level(FORM, ORGANISATION) == 0
    clock.shift(HINT_SECONDS)
    assert limiter.level(FORM, ORGANISATION) == 2


def test_a_solution_counts_once_in_all_processes_and_windows(
    limiter: Limiter, database_url: str, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    elsewhere = open_database(settings_from(environment_for(database_url, tmp_path)))
    other = Limiter(elsewhere, KEY)
    paid = post(1)
    assert limiter.take_work(paid)
    assert not limiter.take_work(paid)
    assert not other.take_work(replace(paid, remote="192.0.2.9", address="x@example.org"))
    clock.shift(timedelta(minutes=70))
    assert not other.take_work(paid)
    assert other.take_work(post(2))
    assert not other.take_work(replace(post(3), token=None))
    elsewhere.close()


@pytest.mark.parametrize("number", [0, 1])
def test_paid_posts_have_a_quota_that_unpaid_ones_cannot_use_up(
    limiter: Limiter, database: Database, number: int, clock: time_machine.Traveller
) -> None:
    set_to(database, pressing(), 100_000)
    for n in range(5):
        assert limiter.count_post(post(n)).level == 3
    taken = slots().taken(post(), now().timestamp())
    slot = list(taken)[number]
    assert database.counters.read((slot,)) == {}
    set_to(database, (slot,), taken[slot].count - 2)
    assert limiter.take_work(post(1))
    assert limiter.take_turn(post(2)) == 0
    for take in (limiter.take_work, limiter.take_turn):
        with pytest.raises(LimitError) as caught:
            take(post(3))
        assert caught.value.retry_after == 540
    clock.shift(540)
    assert limiter.take_work(post(4))


def test_posts_that_were_not_paid_for_use_up_nobody_s_address(
    limiter: Limiter, database: Database
) -> None:
    set_to(database, pressing(), 3_000)
    hers = [replace(post(n), address="ada@example.org") for n in range(40)]
    for one in hers[:20]:
        assert limiter.count_post(one).level == 3
    # The first was counted when this process did not know of the pressure yet.
    takes = [limiter.take_work, limiter.take_turn] * 3
    for take, one in zip(takes[1 : rules.ADDRESS.count], hers[20:], strict=False):
        assert limiter.count_post(one).level == 3
        assert take(one) == (take == limiter.take_work)
    for take in takes[:2]:
        assert limiter.count_post(hers[39]).level == 3
        with pytest.raises(LimitError) as caught:
            take(hers[39])
        assert caught.value.retry_after == 3_540
    assert limiter.take_work(post(41))


def test_a_post_that_is_not_paid_for_leaves_its_network_s_counters_only(
    limiter: Limiter, database: Database
) -> None:
    set_to(database, pressing(), 3_000)
    assert limiter.level(FORM, ORGANISATION) == 2
    unpaid = post(7)
    for _ in range(rules.TOKEN.count + 1):
        assert not limiter.count_post(unpaid).token_spent
    at = now().timestamp()
    assert unpaid.token is not None
    kept = [*slots().mailbox(unpaid, at), slots().token("token", unpaid.token)]
    assert database.counters.read(kept) == {}
    assert len(database.counters.read((*slots().asker(unpaid.remote, at), *pressing()))) == 4


def test_who_waits_gets_a_few_turns_and_then_waits_for_the_next_window(
    limiter: Limiter, clock: time_machine.Traveller
) -> None:
    *mine, late = (replace(post(n), remote="192.0.2.1") for n in range(rules.WAITING_IP.count + 1))
    assert [limiter.take_turn(one) for one in mine] == [0] * rules.WAITING_IP.count
    assert limiter.take_turn(late) == 540
    clock.shift(10.5)
    assert limiter.take_turn(late) == 530
    clock.shift(529.5)
    assert limiter.take_turn(late) == 0


def test_a_network_gets_a_few_turns(limiter: Limiter) -> None:
    near = [replace(post(n), remote=f"192.0.2.{n}") for n in range(rules.WAITING_NETWORK.count + 1)]
    assert [limiter.take_turn(one) for one in near] == [0] * rules.WAITING_NETWORK.count + [540]


def test_patient_robots_cannot_use_up_the_turns_of_other_networks(
    limiter: Limiter, database: Database
) -> None:
    turns = slots().turns(post(), now().timestamp())
    set_to(database, turns, rules.WAITING_FORM.count)
    assert limiter.take_turn(post(1)) == 0
    assert limiter.take_turn(post(1)) == 540
    assert limiter.take_turn(post(2)) == 0
    assert limiter.take_turn(replace(post(2), form_id=OTHER_FORM)) == 0
