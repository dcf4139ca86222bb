"""A register's tree, made in one pass: the same root, and proofs that hold, as from all its hashes in memory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from consentledger.ledger import merkle
from consentledger.ledger.absence import Index, Labels, verify_absent, verify_place
from consentledger.registers.sorting import Sorter
from consentledger.registers.tree import Tree, summarise

hashes = st.binary(min_size=32, max_size=32)


def sized(count: int) -> list[bytes]:
    return sorted(merkle.leaf_hash(str(n).encode()) for n in range(count))


@settings(max_examples=40, deadline=None)
@given(st.lists(hashes, max_size=40), st.integers(1, 7))
def test_the_sorter_gives_each_once_in_order(given: list[bytes], run: int) -> None:
    with Sorter(run) as sorter:
        for one in given:
            sorter.add(one)
        assert list(sorter) == sorted(set(given)) == list(sorter)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([0, 1, 2, 255, 256, 257, 511, 512, 513, 700, 1030]),
    st.lists(hashes, max_size=3),
    st.lists(st.integers(0, 1029), max_size=3),
)
def test_every_place_is_proved(count: int, absent: list[bytes], chosen: list[int]) -> None:
    stored = sized(count)
    present = [stored[n] for n in chosen if n < count]
    summary = summarise(iter(stored))
    assert (summary.count, summary.root) == (count, Labels(stored).root)

    def fetch(low: bytes, high: bytes | None) -> list[bytes]:
        return [one for one in stored if low <= one and (high is None or one < high)]

    tree = Tree(summary, fetch)
    index = Index(0, max(count, 1), count, summary.root)
    for one in absent:
        left, right = tree.around(one)
        verify_absent(index, one, left, right)
    for one in present:
        here, none = tree.around(one)
        assert here is not None
        assert none is None
        assert here.label == one
        verify_place(index, here)
