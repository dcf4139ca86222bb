"""From a pack's bytes to the pack: parsed strictly, filled in from what it inherits, checked against itself."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from consentledger.law.model import CHANNELS
from consentledger.law.pack import Citation, Pack, Regime, Section
from consentledger.law.reading.tables import FORMS, Reader

MAX_BYTES = 1 << 20
MAX_PARENTS = 4
KEPT = 64  # more than a bundle of one organisation shows
# What each version says of itself: never taken from the pack that it inherits from.
_OWN = (
    "id",
    "version",
    "title",
    "status",
    "confidence",
    "reviewed_on",
    "valid_from",
    "valid_until",
    "countries",
)
# What is read apart, or stands in no file.
_MAPPED = ("citations", "regime")
APART = (*_MAPPED, "hash", "parent")


def load(
    data: bytes, parents: Mapping[str, bytes] | None = None, *, file: str = "pack.toml"
) -> Pack:
    """Reads a pack's bytes and fills in what it inherits; an InputError names file, key and reason of any slip.

    `parents` holds the bytes of packs by name (`EU@1`), at least those that this one inherits from, also through
    others. A table that the file leaves out is the parent's, one that it has replaces the parent's whole (regimes:
    channel by channel); citations add up. Unknown and missing keys, wrong types, unknown words, citations that stand
    nowhere and dates out of order are all refused: a slip of the pen must not make a rule silently void.
    """
    return _load(data, tuple(sorted((parents or {}).items())), file)


# The same few files are read for every bundle: what comes of the same bytes is the same, and can't be changed.
@lru_cache(maxsize=KEPT)
def _load(data: bytes, parents: tuple[tuple[str, bytes], ...], file: str) -> Pack:
    reader = Reader(file)
    table = parse(data, reader)
    parent = table.get("inherits")
    whole = filled(table, dict(parents), reader)
    read = reader.fields(Pack, {key: whole[key] for key in whole if key not in _MAPPED}, "", APART)
    read["citations"] = _citations(whole.get("citations"), reader)
    read["regime"] = _regime(whole.get("regime"), reader)
    found = Pack(**read, hash=hashlib.sha256(data).hexdigest(), parent=parent)
    _check(found, reader)
    return found


def sections(found: Pack) -> list[tuple[str, Section]]:
    """Returns every section of a pack with its place in the file, such as `registers[0]` or `regime.email`."""
    listed: list[tuple[str, Section]] = [
        (name, getattr(found, name))
        for name in ("objection", "service", "exception", "consent", "identity", "unsubscribe")
    ]
    listed += [(f"regime.{channel}", one) for channel, one in found.regime.items()]
    listed += [(f"exception.periods[{n}]", one) for n, one in enumerate(found.exception.periods)]
    for name in ("labels", "registers", "hours", "duties", "records"):
        listed += [(f"{name}[{n}]", one) for n, one in enumerate(getattr(found, name))]
    return listed


def inherits(data: bytes) -> str | None:
    """Returns the name of the pack that a file says it inherits from, None for none; InputError for no TOML."""
    parent = parse(data, Reader("pack.toml")).get("inherits")
    return parent if isinstance(parent, str) else None


def parse(data: bytes, reader: Reader) -> dict[str, Any]:
    """Returns a file's TOML, for reading only: it is kept; InputError for what is none."""
    if len(data) > MAX_BYTES:
        raise reader.wrong("file", f"it is longer than {MAX_BYTES} bytes", "too_long")
    try:
        return _tables(data)
    except (
        ValueError,
        RecursionError,
    ) as error:  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
        raise reader.wrong("file", f"it is not TOML: {error}", "malformed") from error


@lru_cache(maxsize=KEPT)
def _tables(data: bytes) -> dict[str, Any]:
    return tomllib.loads(data.decode("utf-8"))


def filled(
    table: dict[str, Any],
    parents: Mapping[str, bytes],
    reader: Reader,
    depth: int = MAX_PARENTS,
) -> dict[str, Any]:
    """Returns a file's tables with those of the packs it inherits from; InputError when one is not at hand."""
    name = table.get("inherits")
    if name is None:
        return table
    if not isinstance(name, str) or FORMS["Pack.inherits"].match(name) is None:
        raise reader.wrong("inherits", "it must name a pack as ID@VERSION", "format")
    if depth == 0:
        raise reader.wrong(
            "inherits", "packs inherit through too many others, or in a circle", "range"
        )
    if name not in parents:
        raise reader.wrong("inherits", f"the pack {name} is not at hand", "missing")
    parent = parse(parents[name], Reader(f"{name}.toml"))
    if f"{parent.get('id')}@{parent.get('version')}" != name:
        raise reader.wrong("inherits", f"the file at hand is not {name}", "unknown")
    base = filled(parent, parents, Reader(f"{name}.toml"), depth - 1)
    whole = {key: value for key, value in base.items() if key not in (*_OWN, "inherits")} | table
    del whole["inherits"]
    for key in ("regime", "citations"):
        ours, theirs = table.get(key), base.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            whole[key] = theirs | ours
        elif isinstance(ours, list) and isinstance(theirs, list):
            whole[key] = [*theirs, *ours]
    return whole


def _citations(entries: Any, reader: Reader) -> Mapping[str, Citation]:
    if not isinstance(entries, list):
        raise reader.wrong("citations", "a pack needs its sources, as [[citations]]", "missing")
    found: dict[str, Citation] = {}
    for number, entry in enumerate(entries):
        where = f"citations[{number}]"
        citation = reader.table(Citation, entry, where)
        if citation.id in found:
            raise reader.wrong(f"{where}.id", f"{citation.id!r} stands twice", "duplicate")
        # What was written from memory may have no address yet.
        if not citation.url.startswith(("https://", "http://")) and (
            citation.url or citation.kind != "memory"
        ):
            raise reader.wrong(f"{where}.url", "it is no web address", "format")
        found[citation.id] = citation
    return MappingProxyType(found)


def _regime(tables: Any, reader: Reader) -> Mapping[str, Regime]:
    if not isinstance(tables, dict):
        raise reader.wrong("regime", "a pack needs [regime.email] and [regime.sms]", "missing")
    for channel in sorted(tables.keys() ^ set(CHANNELS)):
        reason = "missing" if channel in CHANNELS else "unknown"
        raise reader.wrong(f"regime.{channel[:64]}", f"this channel is {reason}", reason)
    read = {name: reader.table(Regime, tables[name], f"regime.{name}") for name in sorted(tables)}
    return MappingProxyType(read)


def _check(found: Pack, reader: Reader) -> None:
    """Refuses what each field allows by itself but no pack can mean."""
    _check_dates(found, reader)
    for number, rule in enumerate(found.hours):
        if not rule.opens < rule.closes:  # HH:MM compares as text
            raise reader.wrong(f"hours[{number}].closes", "it is not after opens", "order")
    codes: set[str] = set()
    for number, register in enumerate(found.registers):
        if register.code in codes:
            raise reader.wrong(
                f"registers[{number}].code", f"{register.code!r} stands twice", "duplicate"
            )
        codes.add(register.code)
    for channel, regime in found.regime.items():
        asked = "opt_out_register" in (regime.natural, regime.legal, regime.sole_trader)
        if (regime.register is None and asked) or (regime.register or "") not in {*codes, ""}:
            raise reader.wrong(
                f"regime.{channel}.register", "it names no register of this pack", "unknown"
            )
    if not found.calendar.zones:
        raise reader.wrong("calendar.zones", "a place has at least one time zone", "missing")
    for where, section in sections(found):
        for cited in section.citations:
            if cited not in found.citations:
                raise reader.wrong(
                    f"{where}.citations", f"no citation {cited!r} in this pack", "unknown"
                )


def _check_dates(found: Pack, reader: Reader) -> None:
    if found.valid_until is not None and found.valid_until <= found.valid_from:
        raise reader.wrong("valid_until", "it is not after valid_from", "order")
    calendar = found.calendar
    start, end = calendar.holidays_from, calendar.holidays_until
    if (start is None) is not (end is None):
        raise reader.wrong(
            "calendar.holidays_until", "both ends of the known holidays are needed", "missing"
        )
    if start is not None and end is not None and end <= start:
        raise reader.wrong("calendar.holidays_until", "it is not after holidays_from", "order")
    if list(calendar.holidays) != sorted(calendar.holidays):
        raise reader.wrong("calendar.holidays", "the days are not in order", "order")
    for day in calendar.holidays:
        if start is None or end is None or not start <= day < end:
            why = f"{day} is outside holidays_from and holidays_until"
            raise reader.wrong("calendar.holidays", why, "range")
