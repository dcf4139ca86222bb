"""Proof of work: what pays for a post, once, and that no payload breaks its check."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from consentledger.limits.work import COSTS, FRESH, MOST_CHARACTERS, Work

AT = datetime(2026, 3, 2, 12, 1, tzinfo=UTC)
TOKEN = "t" * 76
WORK = Work.under([b"a" * 32, b"b" * 32])


def encoded(payload: object) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


def solved(level: int = 1, token: str = TOKEN, work: Work = WORK) -> dict[str, Any]:
    challenge = altcha.Challenge.from_dict(work.challenge(token, level, AT))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    found: dict[str, Any] = altcha.Payload(challenge, solution).to_dict()
    return found


with time_machine.travel(AT, tick=False):
    SOLVED = solved()


@pytest.fixture
def paid() -> dict[str, Any]:
    """One solution of level 1; tests change copies of it."""
    return SOLVED


@pytest.fixture(autouse=True)
def clock() -> Any:
    """The moment at which the challenge was made."""
    with time_machine.travel(AT, tick=False) as moved:
        yield moved


def changed(paid: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(paid))
    *way, last = path.split(".")
    inner = copy
    for step in way:
        inner = inner[step]
    inner[last] = value
    return copy


def test_a_solution_answers_its_own_level_for_its_own_token(paid: dict[str, Any]) -> None:
    assert WORK.level(encoded(paid), TOKEN) == 1
    assert WORK.level(encoded(paid), "u" * 76) == 0
    assert Work.under([b"c" * 32]).level(encoded(paid), TOKEN) == 0


def test_costs_rise_with_the_level() -> None:
    for level, cost in COSTS.items():
        parameters = WORK.challenge(TOKEN, level, AT)["parameters"]
        assert (parameters["cost"], parameters["algorithm"]) == (cost, "PBKDF2/SHA-256")
        assert parameters["expiresAt"] == int((AT + FRESH).timestamp())
    assert sorted(COSTS.values()) == list(COSTS.values())


def test_no_two_challenges_are_alike() -> None:
    made = [WORK.challenge(TOKEN, 1, AT)["parameters"] for _ in range(2)]
    assert made[0]["nonce"] != made[1]["nonce"]
    assert made[0]["salt"] != made[1]["salt"]


def test_a_challenge_under_an_older_secret_still_counts() -> None:
    old = solved(work=Work.under([b"a" * 32]))
    assert WORK.level(encoded(old), TOKEN) == 1


def test_a_solution_is_fresh_for_a_while(paid: dict[str, Any], clock: Any) -> None:
    clock.shift(FRESH - timedelta(seconds=1))
    assert WORK.level(encoded(paid), TOKEN) == 1
    clock.shift(timedelta(seconds=2))
    assert WORK.level(encoded(paid), TOKEN) == 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("challenge.parameters.cost", 1),
        ("challenge.parameters.cost", 10**9),
        ("challenge.parameters.cost", -1),
        ("challenge.parameters.cost", "1000"),
        ("challenge.parameters.cost", 1000.0000001),
        ("challenge.parameters.keyPrefix", ""),
        ("challenge.parameters.keyLength", 10**9),
        ("challenge.parameters.expiresAt", 2**62),
        ("challenge.parameters.expiresAt", None),
        ("challenge.parameters.algorithm", "SHA-256"),
        ("challenge.parameters.algorithm", None),
        ("challenge.parameters.memoryCost", 2**40),
        ("challenge.parameters.nonce", "zz"),
        ("challenge.parameters.data", {"token": TOKEN, "more": 1}),
        ("challenge.parameters.data", None),
        ("challenge.parameters.data", [TOKEN]),
        ("challenge.parameters", []),
        ("challenge.parameters", None),
        ("challenge.signature", None),
        ("challenge.signature", ""),
        ("challenge.signature", "0" * 64),
        ("challenge.signature", 7),
        ("challenge.signature", "\ud800"),
        ("challenge", "x"),
        ("challenge", 7),
        ("solution.counter", -1),
        ("solution.counter", 2**32),
        ("solution.counter", 2**70),
        ("solution.counter", True),
        ("solution.counter", 1.5),
        ("solution.counter", "1"),
        ("solution.derivedKey", ""),
        ("solution.derivedKey", "00" * 32),
        ("solution.derivedKey", None),
        ("solution.derivedKey", ["00"]),
        ("solution", {}),
        ("solution", None),
    ],
)
def test_what_was_changed_pays_nothing(paid: dict[str, Any], path: str, value: object) -> None:
    assert WORK.level(encoded(changed(paid, path, value)), TOKEN) == 0


def test_a_counter_that_solves_nothing_pays_nothing(paid: dict[str, Any]) -> None:
    parameters = altcha.ChallengeParameters.from_dict(paid["challenge"]["parameters"])
    salt, nonce = bytes.fromhex(parameters.salt), bytes.fromhex(parameters.nonce)
    for counter in itertools.count(paid["solution"]["counter"] + 1):
        key = altcha.derive_key_pbkdf2(parameters, salt, nonce + counter.to_bytes(4, "big"))
        if key[0]:
            break  # one in 256 is a solution too
    wrong = {**paid, "solution": {"counter": counter, "derivedKey": key.hex()}}
    assert WORK.level(encoded(wrong), TOKEN) == 0


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "",
        "=",
        "not base64!",
        "bm90IGpzb24=",
        "/////w==",
        "é" * 8,
        "\ud800",
        encoded([]),
        encoded(7),
        encoded("x"),
        encoded(None),
        encoded({}),
        encoded({"challenge": {}}),
        base64.b64encode(b"[" * 1_400).decode(),
        base64.b64encode(b'{"challenge":' * 100 + b"1" + b"}" * 100).decode(),
        base64.b64encode(b'{"challenge":1' + b"0" * 1_400 + b"}").decode(),
        base64.b64encode(b'{"challenge":NaN}').decode(),
        "A" * 10_000_000,
        base64.b64encode(b"[" * 5_000_000).decode(),
    ],
)
def test_no_payload_breaks_it(payload: str | None) -> None:
    assert WORK.level(payload, TOKEN) == 0


def test_a_true_solution_in_another_wrapping_pays_nothing(paid: dict[str, Any]) -> None:
    text = encoded(paid)
    assert len(text) < MOST_CHARACTERS
    for wrapped in (f" {text}", f"{text}\n", text[:-1], text + "A" * MOST_CHARACTERS, text[4:]):
        assert WORK.level(wrapped, TOKEN) == 0


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = (
    "challenge",
    "challenge.parameters",
    "challenge.signature",
    *(
        f"challenge.parameters.{name}"
        for name in (
            "algorithm",
            "cost",
            "keyLength",
            "keyPrefix",
            "nonce",
            "salt",
            "expiresAt",
            "data",
        )
    ),
    "solution",
    "solution.counter",
    "solution.derivedKey",
)


@given(st.sampled_from(PLACES), VALUES)
def test_any_value_in_any_place_pays_nothing(path: str, value: object) -> None:
    copy = changed(SOLVED, path, value)
    if copy != SOLVED:
        assert WORK.level(encoded(copy), TOKEN) == 0
