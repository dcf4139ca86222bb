"""How each register tells its entries: one entry a line, a CSV column, JSON lines; in the clear or as digests.

A register that this list does not name is read by `TEXT`; whoever imports it may say another way to read it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from consentledger.contacts.address import fold, parse
from consentledger.kernel.errors import InputError
from consentledger.ledger.register import DIGITS, MATCHED

FORMATS = ("text", "csv", "ndjson")
LINE = 2_000
KEEPS_ZERO = ("+39",)  # the zero is part of the number
NATIONAL = 10  # no country here has longer numbers without its calling code and trunk zero
_PHONE = re.compile(r"\+[1-9][0-9]{5,14}\Z", re.ASCII)
_FILLERS = str.maketrans("", "", " -./()\u00a0")
_HEX = re.compile(r"[0-9a-f]+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Adapter:
    """How a register is read.

    `column`: the column (CSV) or key (JSON lines) that holds the entry. `only`: a column and its value; lines with
    another value are no entries (JSON lines' true and numbers are compared as they are written). `matched`: address,
    or the digest that the register publishes. `prefix`: the country's calling code for numbers without one.
    """

    format: str = "text"
    column: str = "address"
    only: tuple[str, str] | None = None
    matched: str = "address"
    prefix: str | None = None


TEXT = Adapter()
ADAPTERS = {
    "AT-ECG": Adapter(matched="sha1"),
    "AU-DNCR": Adapter(prefix="+61"),
    "BR-NMP": Adapter(prefix="+55"),
    "CA-DNCL": Adapter(prefix="+1"),
    "ES-ROBINSON": Adapter(prefix="+34"),
    "GB-FPS": Adapter(prefix="+44"),
    "GB-TPS": Adapter(prefix="+44"),
    "HK-DNC": Adapter(prefix="+852"),
    "IN-DND": Adapter(prefix="+91"),
    "IT-RPO": Adapter(prefix="+39"),
    "MX-REPEP": Adapter(prefix="+52"),
    "PT-DGC": Adapter(prefix="+351"),
    "SG-DNC": Adapter(prefix="+65"),
    "TR-IYS": Adapter("csv", "recipient", prefix="+90"),
    "US-DNC": Adapter(prefix="+1"),
    "US-RND": Adapter(prefix="+1"),
    "ZA-NCC": Adapter("csv", "identifier", prefix="+27"),
}


class Entry(NamedTuple):
    """One entry as it is hashed, and the line it stands in."""

    line: int
    text: str


def adapter_of(
    register: str,
    *,
    format: str | None = None,
    column: str | None = None,
    only: tuple[str, str] | None = None,
    matched: str | None = None,
    prefix: str | None = None,
) -> Adapter:
    """Returns how a register is read; what is given here goes before what is known of it."""
    known = ADAPTERS.get(register, TEXT)
    return Adapter(
        _word("format", format, FORMATS) or known.format,
        column or known.column,
        only or known.only,
        _word("matched", matched, MATCHED) or known.matched,
        _prefix(prefix) or known.prefix,
    )


def read(file: IO[bytes], adapter: Adapter) -> Iterator[Entry]:
    """Reads a register's entries; InputError names the first line that is none, and why.

    Empty lines are skipped, and so are lines that begin with `#` in a text list.
    """
    lines = _lines(file)
    told = {"text": _text, "csv": _csv, "ndjson": _ndjson}[adapter.format](lines, adapter)
    for line, given in told:
        try:
            yield Entry(line, entry_text(given, adapter))
        except InputError as error:
            raise _at(line, str(error), error.reason) from error


def entry_text(given: str, adapter: Adapter) -> str:
    """Returns the text that one entry is hashed as: folded address, `@domain`, `+number`, or digest."""
    text = given.strip()
    if adapter.matched != "address":
        low = text.lower()
        if len(low) != DIGITS[adapter.matched] or _HEX.match(low) is None:
            raise InputError(
                f"this is no {adapter.matched} digest in hexadecimal",
                field="entry",
                reason="digest",
            )
        return low
    local, at, domain = text.rpartition("@")
    if local:
        return fold(text)
    if at or (not text.startswith("+") and any(c.isalpha() for c in text)):
        return f"@{parse(f'x@{domain}', 'entry').domain}"
    return phone(text, adapter.prefix)


def phone(given: str, prefix: str | None = None) -> str:
    """Returns a telephone number as `+` and its digits (E.164); without a calling code it needs the `prefix`."""
    text = given.translate(_FILLERS)
    if text.startswith("00"):
        text = f"+{text[2:]}"
    if not text.startswith("+") and prefix is not None and text.isascii() and text.isdigit():
        whole = text.startswith(prefix[1:]) and len(text) > NATIONAL
        trunk = "" if prefix in KEEPS_ZERO else "0"
        text = f"+{text}" if whole else f"{prefix}{text.removeprefix(trunk)}"
    if _PHONE.match(text) is None:
        raise InputError(
            "this is neither an address, a domain, nor a number with its calling code",
            field="entry",
            reason="format",
        )
    return text


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    number = 0
    while data := file.readline(LINE + 1):
        number += 1
        if len(data) > LINE:
            raise _at(number, f"longer than {LINE} octets", "too_long")
        try:
            yield number, data.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _at(number, "this is not UTF-8", "encoding") from error


def _text(lines: Iterable[tuple[int, str]], _adapter: Adapter) -> Iterator[tuple[int, str]]:
    for number, text in lines:
        if (found := text.strip()) and not found.startswith("#"):
            yield number, found


def _csv(lines: Iterable[tuple[int, str]], adapter: Adapter) -> Iterator[tuple[int, str]]:
    header, separator = None, ","
    for number, text in lines:
        if not text.strip():
            continue
        if header is None:
            separator = ";" if text.count(";") > text.count(",") else ","
        # One line at a time, so that a quote left open spoils one line and not the rest of the file.
        try:
            row = next(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
        except (csv.Error, StopIteration) as error:
            raise _at(number, "the line is no CSV", "csv") from error
        if header is None:
            header = [name.strip() for name in row]
            _check_header(header, adapter)
            continue
        if len(row) != len(header):
            raise _at(number, f"it has {len(row)} columns, the first line {len(header)}", "columns")
        told = dict(zip(header, row, strict=True))
        if adapter.only is None or told[adapter.only[0]].strip() == adapter.only[1]:
            yield number, told[adapter.column]


def _check_header(header: list[str], adapter: Adapter) -> None:
    wanted = [adapter.column, *([adapter.only[0]] if adapter.only else [])]
    for name in wanted:
        if header.count(name) != 1:
            raise _at(1, f"there must be one column {name!r}", "column")


def _ndjson(lines: Iterable[tuple[int, str]], adapter: Adapter) -> Iterator[tuple[int, str]]:
    for number, text in lines:
        if not text.strip():
            continue
        try:
            told = _object(text)
        except (ValueError, RecursionError) as error:
            raise _at(number, "the line is no JSON object", "json") from error
        if adapter.only is not None and _written(told.get(adapter.only[0])) != adapter.only[1]:
            continue
        found = told.get(adapter.column)
        if not isinstance(found, str):
            raise _at(number, f"there is no text under {adapter.column!r}", "column")
        yield number, found


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _object(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a key stands twice")
        return made

    found = json.loads(text, object_pairs_hook=unique)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _word(field: str, given: str | None, words: tuple[str, ...]) -> str | None:
    if given is not None and given not in words:
        raise InputError(f"{field}: one of {', '.join(words)}", field=field, reason="unknown")
    return given


def _prefix(given: str | None) -> str | None:
    if given is not None and re.fullmatch(r"\+[1-9][0-9]{0,3}", given, re.ASCII) is None:
        raise InputError("prefix: a calling code such as +43", field="prefix", reason="format")
    return given


def _at(line: int, what: str, reason: str) -> InputError:
    return InputError(f"line {line}: {what}", field="file", reason=reason)
