"""For authors of packs: every slip at once, what no field can say alone, and what a reader ought to doubt.

The reader in law.reading.tables refuses a pack at its first slip, and is all that a verifier needs. Here all of them
are named, and a pack is held to what makes sense across its keys, before anybody publishes or adopts it. The schemas
are made from the classes of law.pack, so the format is described once.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from consentledger.kernel.errors import InputError
from consentledger.law.pack import Citation, Pack, Regime
from consentledger.law.reading import sense
from consentledger.law.reading.loading import APART, filled, load, parse
from consentledger.law.reading.tables import FORMS, RANGES, WORDS, Reader, specification

_POSITIVE = (1, 3650)


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """A pack without slips, and what its author ought to look at again."""

    pack: Pack
    warnings: tuple[str, ...]


class SlipsError(InputError):
    """A pack's file has slips: `slips` pairs each key with what is wrong there, in the file's order."""

    def __init__(self, file: str, slips: Sequence[tuple[str, str]]) -> None:
        told = "\n".join(f"rule pack {file}, {key}: {why}" for key, why in slips)
        super().__init__(told, field=slips[0][0], reason="pack")
        self.slips = tuple(slips)


def check(
    data: bytes, parents: Mapping[str, bytes] | None = None, *, file: str = "pack.toml"
) -> Checked:
    """Returns a pack whose file is right in itself and makes sense; SlipsError names all that is not.

    `parents` as for law.reading.loading.load.
    """
    reader = Reader(file)
    whole = filled(parse(data, reader), parents or {}, reader)
    slips = list(_slips(whole))
    if slips:
        raise SlipsError(file, slips)
    pack = load(data, parents, file=file)
    slips = list(sense.slips(pack))
    if slips:
        raise SlipsError(file, slips)
    return Checked(pack, tuple(sense.warnings(pack)))


def check_versions(packs: Sequence[Pack]) -> None:
    """Refuses versions of one id that leave a day between them without rules, or with two; InputError names them.

    An older version without an end gives way on the day on which the next begins (a published file never changes);
    one with an end must end on that very day. A newer version never reaches back before the older one began.
    """
    ordered = sorted(packs, key=lambda pack: int(pack.version))
    for older, newer in pairwise(ordered):
        if older.id != newer.id:
            raise _versions(older, newer, "they are not versions of one pack", "unknown")
        if older.version == newer.version:
            raise _versions(older, newer, "they have the same version", "duplicate")
        ends = max(older.valid_until or newer.valid_from, older.valid_from)
        if ends > newer.valid_from:
            why = f"both would be in force on {newer.valid_from}"
            raise _versions(older, newer, why, "overlap")
        if ends < newer.valid_from:
            why = f"none would be in force on {older.valid_until}"
            raise _versions(older, newer, why, "gap")


def _versions(older: Pack, newer: Pack, why: str, reason: str) -> InputError:
    said = f"rule packs {older.name} and {newer.name}: {why}"
    return InputError(said, field="valid_until", reason=reason)


class _Exactly(fields.Field[Any]):
    """A value as tomllib reads it, of one very type: 1 is no boolean, and an instant no date."""

    def __init__(self, wanted: type, *, required: bool) -> None:
        super().__init__(required=required)
        self._wanted = wanted

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) is not self._wanted:
            raise ValidationError(f"it must be a {self._wanted.__name__}")
        return value


def _slips(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields every key of a filled-in pack that its schema refuses, with the reason."""
    errors = _schema(Pack)().validate(whole)
    yield from _flat(errors, "")


def _flat(errors: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(errors, dict):
        for key, inner in errors.items():
            if key == "_schema":
                place = where
            elif isinstance(key, int):
                place = f"{where}[{key}]"
            else:
                place = f"{where}.{key}" if where else str(key)
            yield from _flat(inner, place.replace(".value", ""))
    else:
        for why in errors:
            yield where or "file", str(why).rstrip(".").lower()


@cache
def _schema(cls: type) -> type[Schema]:
    """Returns the schema that a class of law.pack describes."""
    known: dict[str, fields.Field[Any]] = {
        key: _field(wanted, f"{cls.__name__}.{key}", required=needed)
        for key, (wanted, needed) in specification(cls).items()
        if not (cls is Pack and key in APART)
    }
    if cls is Pack:
        citations = fields.Nested(_schema(Citation), required=True)
        known["citations"] = fields.List(citations, required=True)
        known["regime"] = fields.Dict(
            keys=fields.String(validate=validate.OneOf(("email", "sms"))),
            values=fields.Nested(_schema(Regime)),
            required=True,
        )
    # marshmallow refuses unknown keys by itself.
    return Schema.from_dict(dict(known), name=f"{cls.__name__}Schema")


def _field(wanted: Any, name: str, *, required: bool = False) -> fields.Field[Any]:
    if isinstance(wanted, types.UnionType):
        wanted = next(arm for arm in typing.get_args(wanted) if arm is not type(None))
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple:
        return fields.List(_field(inner[0], name, required=True), required=required)
    if origin is Mapping:
        words = fields.String(validate=validate.OneOf(WORDS[name]))
        return fields.Dict(keys=words, values=_field(inner[1], ""), required=required)
    if dataclasses.is_dataclass(wanted):
        return fields.Nested(_schema(typing.cast(type, wanted)), required=required)
    if wanted is int:
        limits = validate.Range(*RANGES.get(name, _POSITIVE))
        return fields.Integer(required=required, strict=True, validate=limits)
    if wanted in (bool, date):
        return _Exactly(wanted, required=required)
    checks: list[Any] = []
    if name in WORDS:
        checks.append(validate.OneOf(WORDS[name]))
    if name in FORMS:
        checks.append(validate.Regexp(FORMS[name]))
    return fields.String(required=required, validate=checks)
