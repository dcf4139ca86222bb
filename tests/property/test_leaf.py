"""Whatever is committed opens to itself, and random bytes never pass for a leaf or a disclosure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.kernel.errors import VerificationError
from consentledger.ledger.checkpoint import parse_checkpoint
from consentledger.ledger.disclosure import commit, make_disclosure, parse_disclosure
from consentledger.ledger.kinds.model import Field, make_kind
from consentledger.ledger.leaf import build_leaf, check_disclosures, check_schema, parse_leaf
from consentledger.ledger.note import open_note
from consentledger.ledger.policy import parse_policy
from consentledger.ledger.proof import parse_tlog_proof

words = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-(2**53) + 1, 2**53 - 1)
scalars = st.none() | st.booleans() | integers | words
values = scalars | st.lists(scalars, max_size=5)
KIND = make_kind(
    "test.all",
    "One field of each type.",
    Field("word", "str", nullable=True),
    Field("number", "int", nullable=True),
    Field("flag", "bool", nullable=True),
    Field("list", "strs"),
)
COMMON = {"actor": "x", "at": "2026-11-21T21:45:03.123456Z", "software": "y"}


@given(salt=st.binary(min_size=32, max_size=32), value=values)
def test_a_disclosure_opens_to_its_value(salt: bytes, value: object) -> None:
    disclosure = make_disclosure(salt, "field", value)  # type: ignore[arg-type]
    assert parse_disclosure(disclosure) == (salt, "field", value)
    again = make_disclosure(*parse_disclosure(disclosure))
    assert commit(again) == commit(disclosure)


@given(
    word=st.none() | words,
    number=st.none() | integers,
    flag=st.none() | st.booleans(),
    texts=st.lists(words, max_size=5),
)
def test_the_fast_builder_writes_canonical_disclosures(
    word: str | None, number: int | None, flag: bool | None, texts: list[str]
) -> None:
    given_ = COMMON | {"word": word, "number": number, "flag": flag, "list": texts}
    leaf = build_leaf(KIND, given_, label=None)
    parsed = parse_leaf(leaf.leaf)
    opened = check_disclosures(parsed, [disclosure for _, disclosure in leaf.disclosures])
    check_schema(KIND, parsed, opened)
    assert opened == given_


@given(data=st.binary(max_size=200))
def test_noise_is_refused_with_one_kind_of_error(data: bytes) -> None:
    for read in (parse_leaf, parse_tlog_proof, parse_checkpoint, parse_policy):
        with pytest.raises(VerificationError):
            read(data)
    with pytest.raises(VerificationError):
        open_note(data, [])
    with pytest.raises(VerificationError):
        parse_disclosure(data.decode("latin-1"))


@given(at=st.integers(0), mask=st.integers(1, 255))
def test_a_changed_leaf_never_opens_as_before(at: int, mask: int) -> None:
    leaf = build_leaf(
        KIND, COMMON | {"word": "a", "number": 1, "flag": None, "list": []}, label=None
    )
    changed = bytearray(leaf.leaf)
    changed[at % len(changed)] ^= mask
    try:
        parsed = parse_leaf(bytes(changed))
        opened = check_disclosures(parsed, [disclosure for _, disclosure in leaf.disclosures])
    except VerificationError:
        return
    # Only the kind's own name can be changed and still read: the tree's root tells that.
    assert parsed.kind_name != KIND.name or parsed.version != KIND.version
    assert opened
