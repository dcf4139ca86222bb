"""API keys as text: one shape, read exactly, and everything else refused in the same words."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.accounts import rules
from consentledger.kernel.errors import UnauthorisedError


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_a_key_is_read_as_it_was_written(key_id: UUID, random: bytes) -> None:
    made = rules.Credential(key_id, rules.new_secret(random))
    assert len(made.text) == 79
    assert made.text.startswith(f"cl_{key_id.hex}_")
    assert rules.parse_key(made.text) == made
    assert rules.fits(made.secret, rules.hash_secret(made.secret))
    assert made.secret not in repr(made)


@given(st.text(max_size=100) | st.from_regex(r"cl_[0-9a-fA-F_-]{30,34}_[A-Za-z0-9_=+/-]{41,45}"))
def test_any_other_text_is_refused_in_the_same_words(text: str) -> None:
    try:
        found = rules.parse_key(text)
    except UnauthorisedError as error:
        assert str(error) == "no valid API key came with this request"  # noqa: PT017 - or it is a key
    else:
        assert found.text == text


def test_a_wrong_secret_does_not_fit() -> None:
    secret = rules.new_secret(bytes(32))
    assert not rules.fits(rules.new_secret(bytes(31) + b"\x01"), rules.hash_secret(secret))


def test_scopes_stand_once_and_sorted() -> None:
    given_twice = ("publish", "consents:read", "publish")
    assert rules.check_scopes(given_twice) == ("consents:read", "publish")
    with pytest.raises(Exception, match="no scope") as raised:
        rules.check_scopes(("publish", "root"))
    assert raised.value.field == "scopes"  # type: ignore[attr-defined]
