"""Reads what a form posted, form-encoded or as JSON, into one shape; ambiguous input is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Request

from consentledger.kernel.errors import InputError
from consentledger.web.body import json_object

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
LISTS = ("purpose",)
MAX_VALUES = 50


@dataclass(frozen=True, slots=True)
class Posted:
    """Single values by name, and the lists; `as_json` says which kind of answer is wanted."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    as_json: bool = False

    def get(self, name: str) -> str | None:
        """One value, or None when it is missing or empty."""
        return self.values.get(name) or None


def read(request: Request) -> Posted:
    """Read a body; InputError names a wrong content type, a value given twice or of another type."""
    if request.mimetype == "application/json":
        return _from_json(request.get_data())
    if request.mimetype not in FORM_TYPES:
        raise InputError(
            "send application/x-www-form-urlencoded, multipart/form-data or application/json",
            field="Content-Type",
            reason="content_type",
        )
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for name, given in request.form.lists():
        if name in LISTS:
            lists[name] = tuple(given[:MAX_VALUES])
        elif len(given) > 1:
            raise InputError(f"{name} is given twice", field=name[:100], reason="duplicate_key")
        else:
            values[name] = given[0]
    return Posted(values, lists)


def _from_json(content: bytes) -> Posted:
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for name, given in json_object(content).items():
        if name in LISTS:
            lists[name] = _strings(name, given)
        elif isinstance(given, str):
            values[name] = given
        elif isinstance(given, int) and not isinstance(given, bool):
            values[name] = str(given)
        elif given is not None:
            raise InputError(f"{name} must be text", field=name[:100], reason="type")
    return Posted(values, lists, as_json=True)


def _strings(name: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise InputError(f"{name} must be a list of texts", field=name, reason="type")
    return tuple(given[:MAX_VALUES])
