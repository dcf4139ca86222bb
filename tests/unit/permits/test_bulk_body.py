"""A body without end: put aside under a key of its own, split in blocks, each line read on its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.kernel.errors import InputError, IntegrityError
from consentledger.permits.bulk.body import (
    LINE_BYTES,
    Asked,
    BodyLines,
    Piece,
    Reader,
    message_line,
)
from consentledger.permits.bulk.spool import BLOCK, Spool
from consentledger.web.body import json_object


def read_one(value: object, where: str) -> Asked:
    """Reads a recipient as the slice does, for as much as matters here."""
    if isinstance(value, dict) and isinstance(value.get("address"), str):
        if value.get("country") == "??":
            raise InputError(f"{where}: no such country", field=where, reason="unknown")
        return value["address"], value.get("country"), None, None
    if isinstance(value, str):
        return value, None, None, None
    raise InputError(f"{where}: a recipient is an address", field=where, reason="type")


def pieces(content: bytes, size: int = 7, count: int = 5_000) -> Iterator[Piece]:
    """Reads a body that comes in blocks of `size`."""
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    reader = Reader(BodyLines(blocks), read_one, json_object)
    while (piece := reader.next(count)) is not None:
        yield piece


def cut(content: bytes, places: Sequence[int]) -> list[bytes]:
    """Cuts bytes at these places."""
    ends = sorted({place % (len(content) + 1) for place in places})
    return [content[a:b] for a, b in zip([0, *ends], [*ends, len(content)], strict=True)]


@given(
    st.lists(st.binary(max_size=12)), st.lists(st.integers(0, 10**6), max_size=9), st.integers(1, 4)
)
def test_lines_are_the_same_however_the_blocks_fall(
    parts: list[bytes], places: list[int], count: int
) -> None:
    content = b"\n".join(parts)
    lines, found = BodyLines(cut(content, places)), []
    while taken := lines.take(count):
        found += taken
    wanted = content.split(b"\n")
    assert found == (wanted if wanted[-1] else wanted[:-1])
    assert lines.number == len(found)


@given(st.lists(st.integers(0, 10**6), max_size=9), st.integers(0, 3), st.integers(-2, 9_000))
def test_a_long_line_is_cut_and_those_beside_it_are_whole(
    places: list[int], before: int, over: int
) -> None:
    length = LINE_BYTES + over
    content = b"a\n" * before + b"x" * length + b"\nb\n\nc"
    found = BodyLines(cut(content, places)).take(99)
    long = found[before]
    assert set(long) == {ord("x")}
    assert len(long) == length if length <= LINE_BYTES else len(long) > LINE_BYTES
    assert found[:before] + found[before + 1 :] == [b"a"] * before + [b"b", b"", b"c"]


def test_what_is_held_of_a_line_without_end_is_little() -> None:
    blocks = (b"x" * BLOCK for _ in range(64))
    lines = BodyLines(blocks)
    (long,) = lines.take(9)
    assert LINE_BYTES < len(long) <= LINE_BYTES + 1


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_broken_line_is_reported_in_its_place(size: int) -> None:
    content = b"""{"address": "ann@example.org", "country": "DE"}\r
{"address": "bea@example.org"

"cy@example.org"
7
{"address": "dan@example.org", "address": "eve@example.org"}
{"address": "dan@example.org", "\\u0061ddress": "eve@example.org"}
{"address": "dan@example.org", "country": 1, "country": null}
"fay@example.org"
"\xff@example.org"
"\\ud800@example.org"
"gus@example.org" "hal@example.org"
"%b"
"ian@example.org\"""" % (b"x" * LINE_BYTES)
    (piece,) = pieces(content, size)
    assert (piece.first, piece.last) == (1, 14)
    assert piece.addresses == ["ann@example.org", "cy@example.org", "fay@example.org", "ian@example.org"]  # fmt: skip
    assert list(piece.places) == [1, 4, 9, 14]
    assert [(one.line, one.code) for one in piece.errors] == [
        (2, "malformed"),
        (5, "type"),
        (6, "duplicate_key"),
        (7, "duplicate_key"),
        (8, "duplicate_key"),
        (10, "malformed"),
        (11, "malformed"),
        (12, "malformed"),
        (13, "too_long"),
    ]
    assert [country for _, country, _, _ in piece.said] == ["DE", None, None, None]


def test_what_repeats_is_read_once_and_what_is_wrong_is_wrong_each_time() -> None:
    lines = [
        b'{"address":"p%d@x.example","country":"%b"}' % (n, b"DE" if n % 2 else b"??")
        for n in range(8)
    ]
    lines += [b'{"country":"DE","address":7}', b'{"address":"q@x.example","country":["DE"]}']
    (piece,) = pieces(b"\n".join(lines))
    assert piece.said[:4] == tuple((f"p{n}@x.example", "DE", None, None) for n in (1, 3, 5, 7))
    assert [one.line for one in piece.errors] == [1, 3, 5, 7, 9]


def test_halves_of_lines_never_make_a_whole_one() -> None:
    # Joined by commas and read at once, these three lines would be three good recipients.
    content = b'"a@x.example", "b@x.example"\n{"address": "c@x.example"\n"country": "DE"}\n'
    (piece,) = pieces(content)
    assert piece.addresses == []
    assert [one.line for one in piece.errors] == [1, 2, 3]


def test_pieces_have_as_many_lines_as_asked_for_and_plain_ones_say_nothing_more() -> None:
    content = b"".join(b'"p%d@example.org"\n' % n for n in range(25))
    found = list(pieces(content, 31, count=10))
    assert [(one.first, one.last, len(one.addresses)) for one in found] == [
        (1, 10, 10),
        (11, 20, 10),
        (21, 25, 5),
    ]
    assert all(one.said == () and one.errors == () for one in found)
    assert [a for one in found for a in one.addresses] == [f"p{n}@example.org" for n in range(25)]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"   \n{}", b'["a"]\n', b'{"a":1,"a":2}\n', b"{", b"x" * 70_000]
)
def test_the_first_line_must_be_the_message(content: bytes) -> None:
    with pytest.raises(InputError) as raised:
        message_line(BodyLines([content]), json_object)
    assert raised.value.reason in {"malformed", "duplicate_key", "too_large"}


def test_the_message_is_the_first_line_and_blank_lines_behind_it_ask_nobody() -> None:
    lines = BodyLines([b'{"sender":', b'"x"}\n\n \r\n'])
    assert message_line(lines, json_object) == {"sender": "x"}
    assert lines.ended()
    more = BodyLines([b'{"sender":"x"}\n\n', b'"a@x.example"\n'])
    message_line(more, json_object)
    assert not more.ended()
    assert more.number == 2
    assert more.take(9) == [b'"a@x.example"']


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_a_spool_gives_back_what_was_written_as_often_as_wanted(size: int) -> None:
    content = os.urandom(size)
    with Spool(10**9) as spool:
        for start in range(0, size, 70_001):
            spool.write(content[start : start + 70_001])
        assert spool.digest == hashlib.sha256(content).digest()
        assert b"".join(spool.blocks()) == content
        assert b"".join(spool.blocks()) == content
        assert spool.size == size


def test_a_spool_has_no_name_and_nothing_plain_on_the_disk() -> None:
    with Spool(10**9) as spool:
        spool.write(b"ann@example.org\n" * 40_000)
        list(spool.blocks())
        number = spool._file.fileno()
        assert os.fstat(number).st_nlink == 0
        raw = os.pread(number, 10**6, 0)
        assert len(raw) > 640_000
        assert b"example" not in raw


def test_a_spool_that_was_changed_on_the_disk_is_not_read() -> None:
    with Spool(10**9) as spool:
        spool.write(b"x" * (2 * BLOCK))
        list(spool.blocks())
        os.pwrite(spool._file.fileno(), b"\0" * 8, BLOCK + 100)
        with pytest.raises(IntegrityError):
            list(spool.blocks())


def test_a_body_over_the_limit_is_refused_and_never_cut() -> None:
    with Spool(1_000) as spool:
        spool.write(b"x" * 1_000)
        with pytest.raises(InputError) as raised:
            spool.write(b"x")
    assert raised.value.reason == "too_large"
