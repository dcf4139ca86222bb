"""The strict reader of packs: a table of the file becomes the class of law.pack that describes it, or is refused.

What law.pack says about a field (its name, its type, whether it has a default) is what the file may hold; here stand
only the words, forms and ranges that a Python type can't say.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from consentledger.kernel.errors import InputError
from consentledger.law import model
from consentledger.law import pack as forms
from consentledger.law.countries import CODES

_T = TypeVar("_T")
_PERSONS = tuple(word for word in model.PERSONS if word != "unknown")
_NEEDED = ("required", "recommended", "not_required")
# The words that a field (or each item of it) may hold, as `<Class>.<field>`.
WORDS: Mapping[str, tuple[str, ...]] = {
    "Pack.status": ("published", "draft"),
    "Pack.confidence": forms.CONFIDENCES,
    "Citation.kind": forms.KINDS,
    "Regime.natural": forms.REGIMES,
    "Regime.legal": forms.REGIMES,
    "Regime.sole_trader": forms.REGIMES,
    "Period.triggers": model.TRIGGERS,
    "Period.unit": forms.UNITS,
    "Period.starts": ("event", "end"),
    "Exemption.channels": model.CHANNELS,
    "Exemption.persons": _PERSONS,
    "Exemption.triggers": model.TRIGGERS,
    "Exemption.risk_triggers": model.TRIGGERS,
    "Exemption.disclosed": model.TRIGGERS,
    "Exemption.disclosed_persons": _PERSONS,
    "Exemption.not_before": model.TRIGGERS,
    "Exemption.products": forms.PRODUCTS,
    "Consent.double_opt_in": forms.DOUBLE_OPT_IN,
    "Consent.one_request_to": _PERSONS,
    "Identity.legal_name": _NEEDED,
    "Identity.postal_address": _NEEDED,
    "Identity.contact_channel": _NEEDED,
    "Unsubscribe.unit": ("days", "business_days"),
    "Unsubscribe.calendar": ("recipient", "sender"),
    "Label.channels": model.CHANNELS,
    "Label.when": ("always", "unsolicited"),
    # Lists of what is no electronic mail stand in a pack to be told on the rules page.
    "Register.channels": (*model.CHANNELS, "voice", "fax", "post"),
    "Register.blocks": ("listed", "absent"),
    "Register.applies_to": ("consent", "existing_customer", "opt_out"),
    "Register.persons": model.PERSONS,
    "Hours.channels": model.CHANNELS,
    "Hours.days": forms.WEEKDAYS,
    "Hours.persons": model.PERSONS,
    "DutyRule.channels": model.CHANNELS,
    "DutyRule.classes": model.MESSAGE_CLASSES,
    "DutyRule.bases": model.BASES,
    "Calendar.weekend": forms.WEEKDAYS[:7],
}
# A suffix starts with a letter: `DE-2.toml` is the second version of DE.
_ID = r"[A-Z]{2}(-[A-Z][A-Z0-9]{0,7})?"
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"
FORMS: Mapping[str, re.Pattern[str]] = {
    key: re.compile(rf"(?:{pattern})\Z", re.ASCII)
    for key, pattern in {
        "Pack.id": _ID,
        "Pack.version": r"[1-9][0-9]{0,8}",
        "Pack.inherits": rf"{_ID}@[1-9][0-9]{{0,8}}",
        "Citation.id": r"[a-z0-9][a-z0-9-]{0,63}",
        "Register.code": r"[A-Z]{2}(-[A-Z0-9]{1,16}){1,3}",
        "DutyRule.code": r"[a-z][a-z0-9_]{0,63}",
        "Hours.opens": _HOUR,
        "Hours.closes": _HOUR,
        "Unsubscribe.languages": _LANGUAGE,
        "Consent.standard": r"[a-z][a-z0-9_]{0,63}",
    }.items()
}
RANGES: Mapping[str, tuple[int, int]] = {
    "Period.count": (1, 3650),
    "Register.max_age_days": (0, 366),
    "Unsubscribe.days": (0, 366),
}
_POSITIVE = (1, 3650)


class Reader:
    """Reads the tables of one pack's `file`; every slip is an InputError that names file, key and reason."""

    def __init__(self, file: str) -> None:
        self.file = file

    def wrong(self, key: str, why: str, reason: str) -> InputError:
        """Returns the error for a slip at `key`."""
        return InputError(f"rule pack {self.file}, {key}: {why}", field=key, reason=reason)

    def table(self, cls: type[_T], value: Any, where: str) -> _T:
        """Returns the instance of a dataclass that a TOML table tells, all keys known and all needed ones there."""
        if not isinstance(value, dict):
            raise self.wrong(where, "it is no table", "type")
        return cls(**self.fields(cls, value, where))

    def fields(
        self, cls: type, value: dict[str, Any], where: str, apart: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Returns the fields of `cls` but those `apart` that a table has, read; defaults may be left out."""
        known = {key: said for key, said in specification(cls).items() if key not in apart}
        prefix = f"{where}." if where else ""
        for key in sorted(value.keys() - known.keys()):
            raise self.wrong(f"{prefix}{key[:64]}", "this key is unknown", "unknown")
        for key, (_, needed) in known.items():
            if needed and key not in value:
                raise self.wrong(f"{prefix}{key}", "this key is missing", "missing")
        return {
            key: self.value(known[key][0], given, f"{prefix}{key}", f"{cls.__name__}.{key}")
            for key, given in value.items()
        }

    def value(self, wanted: Any, given: Any, where: str, field: str) -> Any:
        """Returns one value as its field's type wants it."""
        if isinstance(
            wanted, types.UnionType
        ):  # `X | None`: TOML has no null, so what is there is an X
            wanted = next(arm for arm in typing.get_args(wanted) if arm is not type(None))
        if typing.get_origin(wanted) is tuple:
            return self._many(typing.get_args(wanted)[0], given, where, field)
        if typing.get_origin(wanted) is Mapping:
            return self._keyed(typing.get_args(wanted)[1], given, where, field)
        if dataclasses.is_dataclass(wanted):
            return self.table(typing.cast(type, wanted), given, where)
        # To Python a bool is an int, and TOML's instants are dates.
        right = isinstance(given, wanted) and type(given) is wanted
        if not right or isinstance(given, datetime):
            raise self.wrong(where, f"it must be a {wanted.__name__}", "type")
        if wanted is str:
            self._text(given, where, field)
        if wanted is int:
            low, high = RANGES.get(field, _POSITIVE)
            if not low <= given <= high:
                raise self.wrong(where, f"{given} is not between {low} and {high}", "range")
        return given

    def _many(self, item: Any, given: Any, where: str, field: str) -> tuple[Any, ...]:
        if not isinstance(given, list):
            raise self.wrong(where, "it must be a list", "type")
        found = tuple(
            self.value(item, one, f"{where}[{number}]", field) for number, one in enumerate(given)
        )
        if item in (str, date) and len(set(found)) < len(found):
            raise self.wrong(where, "something stands twice", "duplicate")
        return found

    def _keyed(self, item: Any, given: Any, where: str, field: str) -> Mapping[str, Any]:
        if not isinstance(given, dict):
            raise self.wrong(where, "it is no table", "type")
        for key in given:
            if field in WORDS and key not in WORDS[field]:
                raise self.wrong(f"{where}.{key[:64]}", "this key is unknown", "unknown")
        read = {key: self.value(item, one, f"{where}.{key}", "") for key, one in given.items()}
        return types.MappingProxyType(read)

    def _text(self, given: str, where: str, field: str) -> None:
        if field in WORDS and given not in WORDS[field]:
            known = ", ".join(WORDS[field])
            raise self.wrong(where, f"{given[:64]!r} is not one of {known}", "unknown")
        if field in FORMS and FORMS[field].match(given) is None:
            raise self.wrong(where, f"{given[:64]!r} has the wrong form", "format")
        if not given.isprintable():
            raise self.wrong(where, "it holds a line break or an unprintable character", "format")
        if not given.strip() and field not in _MAY_BE_EMPTY:
            raise self.wrong(where, "it is empty", "missing")
        if field == "Calendar.zones" and not _is_zone(given):
            raise self.wrong(where, f"{given[:64]!r} is no time zone that is known here", "unknown")
        if field == "Pack.countries" and given not in CODES:
            raise self.wrong(where, f"{given[:64]!r} is no ISO 3166-1 code", "unknown")


_MAY_BE_EMPTY = ("Citation.url", "Citation.section", "Pack.penalty", "Pack.outside")


@cache
def specification(cls: type) -> Mapping[str, tuple[Any, bool]]:
    """Returns the type of each field of a dataclass, and whether a file must have it."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
    }


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown; a path; a folder of zones
        return False
    return True
