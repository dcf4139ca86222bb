"""A form written back as a file reads as the same texts, whatever they hold."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from consentledger.cli.form.skeleton import quoted

# What organisations.fields lets into a text: no control characters but tab and LF, no lone surrogates.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from('\n\t"\\'))


@given(TEXT)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    assert tomllib.loads(f"key = {quoted(text)}\n") == {"key": text}
