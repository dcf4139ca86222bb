"""The fast reader of disclosures takes and refuses exactly what the slow one does."""

from __future__ import annotations

import base64
import json

from hypothesis import example, given
from hypothesis import strategies as st

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.disclosure import (
    Value,
    make_disclosure,
    parse_disclosure,
    read_disclosure,
)

SALT = "A" * 43
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) - 2, 2**53 + 2)
    | st.text()
    | st.floats()
    | st.sampled_from(["\x7f", "\u2028", "\\", '"', "\ud800", "\x00", "é"])
)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=6)


def both(disclosure: str) -> tuple[object, object]:
    answers: list[object] = []
    try:
        answers.append(parse_disclosure(disclosure)[1:])
    except VerificationError:
        answers.append(None)
    try:
        answers.append(read_disclosure(disclosure.encode("latin-1")))
    except VerificationError:
        answers.append(None)
    return answers[0], answers[1]


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(value=anything, salt=st.sampled_from([SALT, SALT[:-1] + "B", "AAAA", "A" * 42 + "+"]))
@example(value=-0.0, salt=SALT)
@example(value=[1, "a", None], salt=SALT)
def test_they_agree_on_any_json(value: object, salt: str) -> None:
    for separators in ((",", ":"), (", ", ":")):
        for ascii_only in (True, False):
            text = json.dumps([salt, "name", value], separators=separators, ensure_ascii=ascii_only)
            slow, fast = both(encoded(text.encode("utf-8", "surrogatepass")))
            assert slow == fast


@given(salt=st.binary(min_size=32, max_size=32), value=st.text() | st.lists(st.integers(-9, 9)))
def test_they_agree_on_what_we_write(salt: bytes, value: Value) -> None:
    disclosure = make_disclosure(salt, "name", value)
    slow, fast = both(disclosure)
    assert slow == fast == ("name", value)


@given(
    good=st.text(max_size=9).map(lambda v: make_disclosure(bytes(32), "name", v)),
    at=st.integers(0),
    character=st.sampled_from("AZaz09+/=-_ \n!é"),
    cut=st.integers(0, 3),
)
def test_they_agree_on_broken_base64(good: str, at: int, character: str, cut: int) -> None:
    at %= len(good)
    broken = (good[:at] + character + good[at + 1 :])[: len(good) - cut]
    slow, fast = both(broken)
    assert slow == fast


@given(raw=st.binary(max_size=90))
def test_they_agree_on_noise(raw: bytes) -> None:
    assert both(encoded(raw)) in [(None, None)]
