"""Reads a CSV file of customers: header by name, cells to the values that rules.read_row takes.

UTF-8, with a byte order mark or without; `,`, `;` or tab between cells. What can't be read of the file as a whole is
an InputError before anything is recorded; what is wrong with one row is that row's.
"""

from __future__ import annotations

import csv
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from consentledger.customers.rules import ROW_FIELDS
from consentledger.kernel.errors import InputError

MOST_BYTES = 2 * 1024**3
LONGEST_CELL = 20_000
BLOCK = 1024 * 1024
NEEDED = ("address", "reference", "trigger", "on", "obtained_from", "offered_at_collection")
FLAGS = ("offered_at_collection", "refused_at_collection", "told_use_for_advertising")
_DELIMITERS = ",;\t"
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


class FileRow(NamedTuple):
    """One row of a file: its number and that of its first line, both from 1, and its values."""

    number: int
    line: int
    values: Mapping[str, Any]


def check_file(path: Path) -> int:
    """Reads a file through once and returns its bytes; InputError when it is too large or not UTF-8.

    Done before anything is recorded, so that a wrong encoding is told of a file, not of its second half.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise _wrong("too_large", f"the file is larger than {MOST_BYTES // 1024**3} GiB: split it")
    decoder, done = getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                where = f"near byte {done + error.start:,}"
                raise _wrong("encoding", f"the file is not UTF-8 ({where})") from error
            if not block:
                return size
            done += len(block)


def read_file(path: Path) -> Iterator[FileRow]:
    """Yields the rows of a file; InputError names what is amiss with its header, or a line that is no CSV."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = text.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            names = _names(next(csv.reader([header], delimiter=delimiter, strict=True), []))
            yield from _rows(names, reader)
        except csv.Error as error:
            said = f"line {reader.line_num + 1} is no CSV: {error}; what stands before it was read"
            raise _wrong("format", said) from error


def _rows(names: list[str], reader: Any) -> Iterator[FileRow]:
    number, before = 0, 1
    for cells in reader:
        line, before = before + 1, reader.line_num + 1
        if cells:
            number += 1
            yield FileRow(number, line, _values(names, cells))


def _names(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    unknown = sorted(set(names) - set(ROW_FIELDS))
    missing = [name for name in NEEDED if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    said = [
        f"{what}: {', '.join(repr(name) for name in which)}"
        for what, which in (("missing", missing), ("not known", unknown), ("twice", twice))
        if which
    ]
    if said:
        known = ", ".join(ROW_FIELDS)
        raise _wrong(
            "header", f"the first line must name the columns; {'; '.join(said)}. Known: {known}"
        )
    return names


def _values(names: list[str], cells: list[str]) -> dict[str, Any]:
    """Returns a row's values: an empty cell says nothing, flags are yes or no, categories are parted by `|`."""
    values: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        text = cell.strip()
        if not text:
            continue
        if name in FLAGS:
            values[name] = _flag(text)
        elif name == "categories":
            values[name] = [one.strip() for one in text.split("|")]
        else:
            values[name] = text
    if len(cells) > len(names):
        values["more cells than the header"] = True
    return values


def _flag(text: str) -> bool | str:
    word = text.lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else text


def _wrong(reason: str, message: str) -> InputError:
    return InputError(message, field="file", reason=reason)
