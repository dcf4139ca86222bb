"""What is made for many at once is what would be made for each."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.db.keystore.keys import keyed_hash, keyed_hashes
from consentledger.kernel.tokens import Tokens

TOKENS = Tokens([os.urandom(32), os.urandom(32)])


@given(st.binary(min_size=1, max_size=80), st.lists(st.none() | st.text(max_size=80)))
def test_keyed_hashes(key: bytes, texts: list[str | None]) -> None:
    wanted = [None if text is None else keyed_hash(key, text) for text in texts]
    assert keyed_hashes(key, texts) == wanted


@given(st.lists(st.binary(min_size=12, max_size=12)))
def test_tokens(link_ids: list[bytes]) -> None:
    made = TOKENS.make_many("unsubscribe", link_ids)
    assert made == [TOKENS.make("unsubscribe", one) for one in link_ids]


def test_ids_of_another_length_make_no_token() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        TOKENS.make_many("unsubscribe", [bytes(12), bytes(11)])
