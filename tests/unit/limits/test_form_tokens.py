"""Form tokens: what a token says, for how long, and that nothing else is one."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.limits.form_tokens import (
    AGAIN,
    CHARACTERS,
    FIRST,
    FRESH,
    WAITING,
    FormToken,
    FormTokens,
)

AT = datetime(2026, 3, 2, 12, 1, 7, 999_999, tzinfo=UTC)
FORM, OTHER = UUID(int=1), UUID(int=2)
PAGE = "https://shop.example"
OLD, NEW = b"o" * 32, b"n" * 32
TOKENS = FormTokens([OLD, NEW])
SAMPLE = TOKENS.make(FORM, 3, now=AT, origin=PAGE)
ALPHABET = string.ascii_letters + string.digits + "-_"


def read(text: str) -> FormToken:
    found = TOKENS.read(text)
    assert found is not None
    return found


@given(
    st.uuids(),
    st.integers(1, 2**31 - 1),
    st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([FIRST, AGAIN, WAITING]),
    st.none() | st.text(max_size=40),
)
def test_a_token_says_what_it_was_made_with(
    form: UUID, version: int, at: datetime, step: int, origin: str | None
) -> None:
    text = TOKENS.make(form, version, now=at, step=step, origin=origin)
    assert len(text) == CHARACTERS
    assert set(text) <= set(ALPHABET)
    found = read(text)
    assert (found.form_id, found.version, found.step) == (form, version, step)
    assert found.issued_at == at.replace(microsecond=0)
    assert found.is_for(form, version, origin)


def test_it_is_for_one_form_version_and_origin_only() -> None:
    found = read(SAMPLE)
    assert found.is_for(FORM, 3, PAGE)
    assert not found.is_for(OTHER, 3, PAGE)
    assert not found.is_for(FORM, 4, PAGE)
    for origin in (None, "", "https://shop.example:8443", "http://shop.example", "null"):
        assert not found.is_for(FORM, 3, origin)
    assert read(TOKENS.make(FORM, 3, now=AT)).is_for(FORM, 3, None)
    assert not read(TOKENS.make(FORM, 3, now=AT)).is_for(FORM, 3, PAGE)


def test_two_of_one_second_differ() -> None:
    first, second = (TOKENS.make(FORM, 3, now=AT, origin=PAGE) for _ in range(2))
    assert first != second
    assert read(first).nonce != read(second).nonce


def test_it_is_fresh_for_two_hours_and_not_before_it_was_made() -> None:
    found = read(SAMPLE)
    assert found.fresh(AT)
    assert found.fresh(AT + FRESH - timedelta(seconds=1))
    assert not found.fresh(AT + FRESH)
    # Another machine's clock may lag a little.
    assert found.fresh(AT - timedelta(seconds=5))
    assert not found.fresh(AT - timedelta(seconds=7))
    assert not found.fresh(AT - timedelta(days=1))


def test_older_keys_are_read_and_unknown_ones_are_not() -> None:
    old = FormTokens([OLD]).make(FORM, 3, now=AT)
    assert read(old).form_id == FORM
    assert FormTokens([NEW]).read(old) is None
    assert FormTokens([OLD]).read(SAMPLE) is None
    assert FormTokens([NEW]).read(SAMPLE) == read(SAMPLE)


@given(st.integers(0, CHARACTERS - 1), st.sampled_from(ALPHABET))
def test_no_character_can_be_another(place: int, character: str) -> None:
    changed = SAMPLE[:place] + character + SAMPLE[place + 1 :]
    assert (TOKENS.read(changed) is not None) == (changed == SAMPLE)


# Named, for a token is another one in each process of a test run.
NONE_OF_OURS = {
    "none": None,
    "empty": "",
    "short": SAMPLE[:-1],
    "long": SAMPLE + "A",
    "blank first": f" {SAMPLE[1:]}",
    "line break": f"{SAMPLE[:-1]}\n",
    "padded": f"{SAMPLE[:-1]}=",
    "padding inside": f"{SAMPLE[:-4]}====",
    "foreign character": f"{SAMPLE[:10]}!{SAMPLE[11:]}",
    "foreign first": f"!{SAMPLE}",
    "padding behind": f"{SAMPLE}====",
    "accent": "é" + SAMPLE[1:],
    "half a pair": "\ud800" + SAMPLE[1:],
    "full width": "\uff21" + SAMPLE[1:],
    "zeros": "\0" * CHARACTERS,
    "letters": "A" * CHARACTERS,
    "pluses": "+" * CHARACTERS,
    "ten million": "A" * 10_000_000,
}


@pytest.mark.parametrize("text", NONE_OF_OURS.values(), ids=NONE_OF_OURS)
def test_what_is_not_exactly_one_of_ours_is_none(text: str | None) -> None:
    assert TOKENS.read(text) is None


@given(st.text(max_size=100) | st.text(ALPHABET, min_size=CHARACTERS, max_size=CHARACTERS))
def test_no_text_is_one_by_chance(text: str) -> None:
    assert TOKENS.read(text) is None
