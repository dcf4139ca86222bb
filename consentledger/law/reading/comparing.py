"""What one version of a rule pack says otherwise than another, key by key, and a pack as JSON: pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from consentledger.law.pack import Pack

# What tells one table of a list from another one, where it has such a key.
_NAMED_BY = ("id", "code", "what", "name", "value")
_NEVER_THE_SAME = ("hash",)


class Change(NamedTuple):
    """One key that says something else: a text of what it said before and says now, None where it was not there."""

    key: str
    before: str | None
    after: str | None


def as_json(pack: Pack) -> dict[str, Any]:
    """Returns a pack as JSON has it: the file's own keys, what it inherits filled in, dates as ISO texts."""
    found = _plain(pack)
    assert isinstance(found, dict)  # noqa: S101 - a dataclass is an object
    return found


def differences(before: Pack, after: Pack) -> tuple[Change, ...]:
    """Returns what changes for somebody who goes from one version to another, sorted by key."""
    old, new = dict(_flat(as_json(before))), dict(_flat(as_json(after)))
    return tuple(
        Change(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and key not in _NEVER_THE_SAME
    )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        seen: dict[str, int] = {}
        for item in value:
            name = next((str(item[one]) for one in _NAMED_BY if item.get(one)), "")
            seen[name] = seen.get(name, 0) + 1
            place = name if seen[name] == 1 else f"{name}#{seen[name]}"
            yield from _flat(item, f"{key}[{place}]")
    elif value is not None and value != []:
        yield key, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
