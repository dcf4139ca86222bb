"""Label trees against a naive scan: a proof exists exactly when the scan says so, and no other verifies."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.absence import (
    START,
    Index,
    Labels,
    Place,
    check_cover,
    labels_of,
    read_index,
    verify_absent,
    verify_place,
)
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.leaf import parse_leaf
from tests.unit.verify.bundles import journey

# Few different bytes, so that labels stand close together, hit each other and the edges.
label = st.integers(0, 40).map(lambda n: n.to_bytes(32, "big"))
labels = st.sets(label, max_size=24)


def absent(index: Index, mark: bytes, left: Place | None, right: Place | None) -> bool:
    try:
        verify_absent(index, mark, left, right)
    except VerificationError:
        return False
    return True


@given(labels, label)
def test_a_proof_exists_exactly_when_a_scan_says_so(found: set[bytes], mark: bytes) -> None:
    tree = Labels(found)
    index = tree.index(5, 5 + 24)
    assert tree.root == merkle.root_of([merkle.leaf_hash(one) for one in sorted(found)])
    assert Labels.from_bytes(tree.to_bytes()).root == tree.root
    if mark in found:
        place = tree.place(mark)
        verify_place(index, place)
        with pytest.raises(ValueError, match="not absent"):
            tree.around(mark)
    else:
        assert absent(index, mark, *tree.around(mark))
        with pytest.raises(ValueError, match="is absent"):
            tree.place(mark)


@given(labels, st.data())
def test_no_two_places_show_that_a_label_is_absent_which_is_there(
    found: set[bytes], data: st.DataObject
) -> None:
    assume(found)
    tree = Labels(found)
    index = tree.index(0, 24)
    mark = data.draw(st.sampled_from(sorted(found)))
    places = [None, *(tree.place(one) for one in sorted(found))]
    for left in places:
        for right in places:
            assert not absent(index, mark, left, right)


@given(labels, label, st.data())
def test_only_the_two_neighbours_show_it(
    found: set[bytes], mark: bytes, data: st.DataObject
) -> None:
    assume(mark not in found)
    tree = Labels(found)
    index = tree.index(0, 24)
    true = tree.around(mark)
    places = [None, *(tree.place(one) for one in sorted(found))]
    shown = [(a, b) for a in places for b in places if absent(index, mark, a, b)]
    assert shown == [true]
    for place in filter(None, true):
        moved = data.draw(
            st.sampled_from([
                replace(place, position=place.position + 1),
                replace(place, label=bytes(32)),
                replace(place, path=(*place.path, bytes(32))),
                replace(place, path=(b"",)),
            ])
        )  # fmt: skip
        assume(moved != place)
        pair = (moved, true[1]) if place is true[0] else (true[0], moved)
        assert not absent(index, mark, *pair)
    if found:
        assert not absent(replace(index, root=bytes(32)), mark, *true)
    if (
        true[1] is None
    ):  # nothing stands behind the last label, so the count tells whether it is the last
        assert not absent(replace(index, count=index.count + 1), mark, *true)


def test_a_label_twice_is_refused() -> None:
    with pytest.raises(VerificationError, match="same label"):
        Labels([b"a" * 32, b"b" * 32, b"a" * 32])


def test_labels_are_read_from_the_first_bytes_as_the_parser_reads_them() -> None:
    log, _, _, _ = journey()
    parsed = [parse_leaf(built.leaf).label for built in log.built]
    assert labels_of(built.leaf[:START] for built in log.built) == [x for x in parsed if x]
    longest = max(len(kind.id) for kind in KINDS.values())
    assert len("consentledger/leaf/v1\nkind \ns \n") + longest + 43 <= START


@pytest.mark.parametrize(
    "line", [b"s ", b"s AAAA", b"s " + b"A" * 42 + b"B", b"s " + b"A" * 44, b"s " + b"*" * 43]
)
def test_a_malformed_label_is_refused(line: bytes) -> None:
    with pytest.raises(VerificationError):
        labels_of([b"consentledger/leaf/v1\nkind consent.expired/1\n" + line + b"\nc x y\n"])
    with pytest.raises(VerificationError):
        labels_of([b"something else\n" + line])


def test_the_lines_of_an_index_are_read_strictly() -> None:
    good = Labels([os.urandom(32)]).index(3, 9)
    assert read_index(good.plain(), 9) == good
    wrong = {
        "first": ["9", "10", "-1", "03", "1_0", "٣"],
        "size": ["3", "10", "9 ", ""],
        "count": ["7", "0", "+1"],
        "root": [merkle.EMPTY_ROOT.hex(), good.root.hex().upper(), "00"],
    }
    for name, values in wrong.items():
        for value in values:
            with pytest.raises(VerificationError):
                read_index(good.plain() | {name: value}, 9)


def test_ranges_follow_one_another() -> None:
    def ranges(*bounds: tuple[int, int]) -> list[Index]:
        return [Index(first, size, 0, merkle.EMPTY_ROOT) for first, size in bounds]

    assert check_cover([]) == 0
    assert check_cover(ranges((0, 4), (4, 9))) == 9
    for bounds, word in [
        ([(1, 4)], "gap"),
        ([(0, 4), (5, 9)], "gap"),
        ([(0, 4), (3, 9)], "goes back"),
        ([(0, 4), (0, 4)], "goes back"),
    ]:
        with pytest.raises(VerificationError, match=word):
            check_cover(ranges(*bounds))
