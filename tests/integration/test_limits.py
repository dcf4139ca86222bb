"""Hard limits on both engines: who is counted with whom, when it is too much, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import time_machine

from consentledger.contacts.address import fold_for_limits
from consentledger.db.engine import Database
from consentledger.db.installation import open_database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError
from consentledger.limits import rules
from consentledger.limits.rules import Rule
from consentledger.limits.service import Limiter
from tests.support.consents import raw_bytes
from tests.support.counting import FORM, KEY, ORGANISATION, OTHER_FORM, post, set_to, slots
from tests.support.installations import environment_for, settings_from

START = "2026-03-02T12:01:00+00:00"
RULES = {"network": Rule(3, 600), "address": Rule(2, 3600)}
API_KEY = UUID(int=77)


@pytest.fixture
def limiter(database: Database) -> Limiter:
    """A limiter on each engine in turn."""
    return Limiter(database, KEY)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands at one minute past a window's start."""
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def test_the_longest_wait_counts(limiter: Limiter, clock: time_machine.Traveller) -> None:
    for n in range(3):
        limiter.count("stop", {"network": "192.0.2.1", "address": f"a{n}"}, RULES)
    with pytest.raises(LimitError) as caught:
        limiter.count("stop", {"network": "192.0.2.1", "address": "a9"}, RULES)
    assert caught.value.retry_after == 540
    limiter.count("stop", {"network": "192.0.2.2", "address": "a8"}, RULES)
    limiter.count("stop", {"network": "192.0.2.2", "address": "a8"}, RULES)
    with pytest.raises(LimitError) as caught:
        limiter.count("stop", {"network": "192.0.2.3", "address": "a8"}, RULES)
    assert caught.value.retry_after == 3540
    clock.shift(540)
    limiter.count("stop", {"network": "192.0.2.1", "address": "a10"}, RULES)


def test_scopes_names_and_keys_are_apart(limiter: Limiter, database: Database) -> None:
    for scope in ("a", "b"):
        for _ in range(2):
            limiter.count(scope, {"address": "a", "network": "a"}, RULES)
    other = Limiter(database, b"x" * 32)
    other.count("b", {"address": "a", "network": "a"}, RULES)
    with pytest.raises(LimitError):
        limiter.count("b", {"address": "a"}, RULES)


def test_an_asker_over_its_limit_is_refused_and_no_longer_counted(
    limiter: Limiter, database: Database, clock: time_machine.Traveller
) -> None:
    at = now().timestamp()
    for n in range(rules.IP.count):
        limiter.count_post(replace(post(n), remote="192.0.2.7"))
    limiter.refuse("192.0.2.7")
    for _ in range(3):
        with pytest.raises(LimitError) as caught:
            limiter.count_post(replace(post(99), remote="192.0.2.7"))
        assert caught.value.retry_after == 540
    # The first one too many was counted once, in this process' first look; then nothing is asked any more.
    ip, _ = slots().asker("192.0.2.7", at)
    assert database.counters.read((ip,)) == {ip.key: 31}
    (mailbox,) = slots().mailbox(post(99), at)
    assert list(database.counters.read((mailbox,)).values()) == [1]
    with pytest.raises(LimitError):
        limiter.refuse("::ffff:192.0.2.7")
    limiter.refuse("192.0.2.8")
    clock.shift(540)
    limiter.refuse("192.0.2.7")
    limiter.count_post(replace(post(99), remote="192.0.2.7"))


def test_what_another_process_counted_counts(
    limiter: Limiter, database_url: str, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    elsewhere = open_database(settings_from(environment_for(database_url, tmp_path)))
    other = Limiter(elsewhere, KEY)
    for n in range(rules.IP.count):
        (limiter if n % 2 else other).count_post(replace(post(n), remote="192.0.2.7"))
    other.refuse("192.0.2.7")
    for each in (limiter, other):
        with pytest.raises(LimitError):
            each.count_post(replace(post(99), remote="192.0.2.7"))
        with pytest.raises(LimitError):
            each.refuse("192.0.2.7")
    elsewhere.close()


@pytest.mark.parametrize(
    ("first", "alike", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"),
        ("203.0.113.9", "::ffff:203.0.113.9", "203.0.113.10"),
    ],
)
def test_one_asker_in_two_spellings(
    limiter: Limiter, first: str, alike: str, other: str, clock: time_machine.Traveller
) -> None:
    for n in range(rules.IP.count):
        limiter.count_post(replace(post(n), remote=(first, alike)[n % 2]))
    for remote in (first, alike):
        with pytest.raises(LimitError):
            limiter.count_post(replace(post(98), remote=remote))
    limiter.count_post(replace(post(99), remote=other))


@pytest.mark.parametrize(
    ("inside", "also_inside", "outside"),
    [
        ("203.0.113.9", "203.0.113.200", "203.0.114.9"),
        ("2001:db8:1:2::1", "2001:db8:1:ff::1", "2001:db8:2:2::1"),
    ],
)
def test_a_network_shares_a_limit(
    limiter: Limiter,
    database: Database,
    inside: str,
    also_inside: str,
    outside: str,
    clock: time_machine.Traveller,
) -> None:
    _, network = slots().asker(inside, now().timestamp())
    set_to(database, (network,), rules.NETWORK.count - 1)
    limiter.count_post(replace(post(1), remote=inside))
    for remote in (inside, also_inside):
        with pytest.raises(LimitError):
            limiter.count_post(replace(post(2), remote=remote))
        with pytest.raises(LimitError):
            limiter.refuse(remote)
    limiter.refuse(outside)
    limiter.count_post(replace(post(3), remote=outside))


def test_spellings_of_one_mailbox_share_a_limit(
    limiter: Limiter, clock: time_machine.Traveller
) -> None:
    spellings = ("Jane.Doe@gmail.com", "janedoe+shop@googlemail.com", "j.a.n.e.doe@GMAIL.com")
    for n in range(rules.ADDRESS.count):
        limiter.count_post(replace(post(n), address=fold_for_limits(spellings[n % 3])))
    with pytest.raises(LimitError) as caught:
        limiter.count_post(replace(post(8), address=fold_for_limits("JANEDOE@gmail.com")))
    assert caught.value.retry_after == 3540
    limiter.count_post(replace(post(9), address=fold_for_limits("janedoe@example.org")))


def test_a_token_is_spent_after_its_posts_even_across_a_windows_edge(
    limiter: Limiter, database_url: str, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    posted = post()
    for n in range(rules.TOKEN.count):
        same = replace(post(n), token=posted.token)
        assert not limiter.count_post(same).token_spent
        clock.shift(1_400)
    assert limiter.count_post(replace(post(8), token=posted.token)).token_spent
    assert not limiter.count_post(post(8)).token_spent
    elsewhere = open_database(settings_from(environment_for(database_url, tmp_path)))
    assert Limiter(elsewhere, KEY).count_post(replace(post(9), token=posted.token)).token_spent
    elsewhere.close()


def test_tokens_of_two_forms_are_apart(limiter: Limiter) -> None:
    token = post().token
    assert token is not None
    for n in range(rules.TOKEN.count + 1):
        limiter.count_post(replace(post(n), token=token))
    other = replace(token, form_id=OTHER_FORM)
    assert not limiter.count_post(replace(post(9), token=other)).token_spent


def test_a_server_that_names_the_person_is_counted_by_the_person(
    limiter: Limiter, clock: time_machine.Traveller
) -> None:
    for n in range(rules.IP.count):
        limiter.count_api(replace(post(n), remote="192.0.2.7"), API_KEY)
    with pytest.raises(LimitError) as caught:
        limiter.count_api(replace(post(98), remote="::ffff:192.0.2.7"), API_KEY)
    assert caught.value.retry_after == 540
    limiter.count_api(replace(post(98), remote="192.0.2.8"), API_KEY)
    for _ in range(rules.ADDRESS.count):
        limiter.count_api(replace(post(50), remote=None), API_KEY)
    with pytest.raises(LimitError) as caught:
        limiter.count_post(post(50))
    assert caught.value.retry_after == 3540


def test_a_server_cannot_shut_strangers_out_of_others_forms(
    limiter: Limiter, clock: time_machine.Traveller
) -> None:
    for n in range(rules.IP.count):
        limiter.count_api(replace(post(n), remote="192.0.2.7"), API_KEY)
    limiter.refuse("192.0.2.7")
    limiter.count_post(replace(post(98), remote="192.0.2.7"))
    elsewhere = replace(post(99), remote="192.0.2.7", organisation_id=UUID(int=10))
    limiter.count_api(elsewhere, UUID(int=78))


def test_a_server_that_names_nobody_is_counted_by_its_key(
    limiter: Limiter, database: Database, clock: time_machine.Traveller
) -> None:
    nobody = replace(post(), remote=None)
    set_to(database, slots().named(nobody, API_KEY, now().timestamp()), rules.API_KEY.count - 1)
    limiter.count_api(nobody, API_KEY)
    with pytest.raises(LimitError) as caught:
        limiter.count_api(replace(nobody, address="other@example.org"), API_KEY)
    assert caught.value.retry_after == 540
    limiter.count_api(nobody, UUID(int=78))
    limiter.count_post(replace(post(), remote=None))


@pytest.mark.parametrize("number", [0, 1])
def test_a_server_cannot_take_more_than_a_form_or_an_organisation_takes(
    limiter: Limiter, database: Database, number: int, clock: time_machine.Traveller
) -> None:
    taken = slots().taken(post(), now().timestamp())
    slot = list(taken)[number]
    set_to(database, (slot,), taken[slot].count - 1)
    limiter.count_api(post(1), API_KEY)
    with pytest.raises(LimitError):
        limiter.count_api(post(2), API_KEY)
    assert limiter.level(FORM, ORGANISATION) == 0


def test_a_limiter_that_is_off_counts_nothing(database: Database) -> None:
    off = Limiter(database, KEY, enabled=False)
    for _ in range(40):
        assert off.count_post(post()).level == 0
        off.count_api(post(), API_KEY)
        off.count("stop", {"network": "a"}, RULES)
        off.refuse(post().remote)
        assert off.take_work(post())
        assert off.take_turn(post()) == 0
    at = now().timestamp()
    named = [*slots().asker(post().remote, at), *slots().posts(FORM, ORGANISATION, at)]
    assert database.counters.read(named) == {}
    assert off.level(FORM, ORGANISATION) == 0


def test_no_address_and_no_network_is_kept(limiter: Limiter, database: Database) -> None:
    planted = replace(post(), remote="192.0.2.177", address="planted@example.com")
    assert limiter.count_post(planted).level == 0
    assert planted.token is not None
    stored = raw_bytes(database)
    assert all(slot.key in stored for slot in slots().asker("192.0.2.177", now().timestamp()))
    for secret in (b"192.0.2.", b"planted@example.com", planted.token.nonce):
        assert secret not in stored
