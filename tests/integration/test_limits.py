"""Limits on both engines: who is counted with whom, when it is too much, and what the table tells."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from sqlalchemy import event, select

from consentledger.db.engine import Database
from consentledger.kernel.errors import LimitError
from consentledger.limits.models import RateLimit
from consentledger.limits.rules import Rule, ip_of
from consentledger.limits.service import Limiter
from consentledger.web.limits import STOP
from tests.support.consents import raw_bytes

RULES = {"network": Rule(3, 600), "address": Rule(2, 3600)}
START = "2026-03-02T12:01:00+00:00"


@pytest.fixture
def limiter(database: Database) -> Limiter:
    """A limiter on each engine in turn."""
    return Limiter(database, b"k" * 32)


def test_the_rule_that_is_exceeded_says_how_long_to_wait(limiter: Limiter) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for n in range(3):
            limiter.count("sign-up", {"network": "192.0.2.1", "address": f"a{n}"}, RULES)
        with pytest.raises(LimitError) as caught:
            limiter.count("sign-up", {"network": "192.0.2.1", "address": "a9"}, RULES)
        assert caught.value.retry_after == 540
        limiter.count("sign-up", {"network": "192.0.2.2", "address": "a9"}, RULES)
        clock.shift(540)
        limiter.count("sign-up", {"network": "192.0.2.1", "address": "a10"}, RULES)


def test_the_longest_wait_counts(limiter: Limiter) -> None:
    with time_machine.travel(START, tick=False):
        for _ in range(2):
            limiter.count("sign-up", {"network": "192.0.2.1", "address": "a"}, RULES)
        with pytest.raises(LimitError) as caught:
            limiter.count("sign-up", {"network": "192.0.2.1", "address": "a"}, RULES)
        assert caught.value.retry_after == 3540


def test_scopes_names_and_keys_are_apart(limiter: Limiter, database: Database) -> None:
    with time_machine.travel(START, tick=False):
        for scope in ("sign-up", "stop"):
            for _ in range(2):
                limiter.count(scope, {"address": "a", "network": "a"}, RULES)
        other = Limiter(database, b"x" * 32)
        other.count("stop", {"address": "a", "network": "a"}, RULES)
        with pytest.raises(LimitError):
            limiter.count("stop", {"address": "a"}, RULES)


def test_a_limiter_that_is_off_counts_nothing(database: Database) -> None:
    off = Limiter(database, b"k" * 32, enabled=False)
    for _ in range(9):
        off.count("sign-up", {"network": "192.0.2.1"}, RULES)
    with database.read() as session:
        assert session.scalars(select(RateLimit.count)).all() == []


def test_one_statement_counts_everything(limiter: Limiter, database: Database) -> None:
    seen: list[str] = []

    def after(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.counter_engine, "after_cursor_execute", after)
    keys = {"ip": "192.0.2.1", "network": "a", "address": "a", "organisation": "o"}
    limiter.count("stop", keys, STOP)
    event.remove(database.counter_engine, "after_cursor_execute", after)
    assert len(seen) == 1


def test_no_address_and_no_network_stands_in_the_table(
    limiter: Limiter, database: Database
) -> None:
    limiter.count("sign-up", {"network": "192.0.2.177", "address": "planted@example.com"}, RULES)
    stored = raw_bytes(database)
    assert b"192.0.2.177" not in stored
    assert b"planted@example.com" not in stored


def test_counting_at_once_loses_nothing_and_never_deadlocks(
    limiter: Limiter, database: Database
) -> None:
    rules = {name: Rule(10_000, 86_400) for name in ("network", "address", "form")}
    barrier = threading.Barrier(8)

    def many(n: int) -> None:
        barrier.wait()
        names = list(rules)[:: 1 if n % 2 else -1]
        for _ in range(20):
            limiter.count("sign-up", dict.fromkeys(names, "same"), rules)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(many, range(8)))
    with database.read() as session:
        assert session.scalars(select(RateLimit.count)).all() == [160, 160, 160]


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("<x>", "unknown"),
    ],
)
def test_networks(remote: str | None, network: str) -> None:
    assert ip_of(remote) == network
