"""The types of a kind's fields: what may stand in each, and how it is written into a disclosure."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable

from consentledger.kernel.errors import InputError
from consentledger.ledger.disclosure import LIMIT, Value
from consentledger.ledger.kinds.model import Field, Kind

Encode = Callable[[Value], str]
Encoders = tuple[tuple[str, str, Encode], ...]
_quote: Callable[[str], str] = json.encoder.encode_basestring
_TIME = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z\Z",
    re.ASCII,
)
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}\Z", re.ASCII)


def _wrong(field: Field, expected: str) -> InputError:
    return InputError(f"{field.name} must be {expected}", field=field.name, reason="type")


def _text(field: Field, value: object) -> str:
    if type(value) is not str:
        raise _wrong(field, "text")
    return _quote(value)


def _time(field: Field, value: object) -> str:
    if type(value) is not str or _TIME.match(value) is None:
        raise _wrong(field, "an instant like 2026-11-21T21:45:03.123456Z")
    return f'"{value}"'


def _hash(field: Field, value: object) -> str:
    if type(value) is not str or _HASH.match(value) is None:
        raise _wrong(field, "64 lower-case hexadecimal digits")
    return f'"{value}"'


def _int(field: Field, value: object) -> str:
    if type(value) is not int or not -LIMIT < value < LIMIT:
        raise _wrong(field, "an integer below 2^53")
    return str(value)


def _bool(field: Field, value: object) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise _wrong(field, "true or false")


def _texts(field: Field, value: object) -> str:
    if not isinstance(value, list | tuple):
        raise _wrong(field, "a list of text")
    for item in value:
        if type(item) is not str:
            raise _wrong(field, "a list of text")
    return "[" + ",".join([_quote(item) for item in value]) + "]"


def _blob(field: Field, value: object) -> str:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise _wrong(field, '["sha256", hex, length, type]')
    algorithm, digest, length, media_type = value
    if (
        algorithm != "sha256"
        or type(digest) is not str
        or _HASH.match(digest) is None
        or type(length) is not int
        or not 0 <= length < LIMIT
        or type(media_type) is not str
        or _MEDIA_TYPE.match(media_type) is None
    ):
        raise _wrong(field, '["sha256", hex, length, type]')
    return f'["sha256","{digest}",{length},"{media_type}"]'


_ENCODERS: dict[str, Callable[[Field, object], str]] = {
    "str": _text,
    "time": _time,
    "hash": _hash,
    "int": _int,
    "bool": _bool,
    "strs": _texts,
    "blob": _blob,
}


def _encoder(field: Field) -> Encode:
    plain = _ENCODERS[field.type]
    if field.nullable:

        def encode_nullable(value: Value) -> str:
            return "null" if value is None else plain(field, value)

        return encode_nullable

    def encode(value: Value) -> str:
        return plain(field, value)

    if field.type == "str":

        def encode_text(value: Value) -> str:
            return _quote(value) if type(value) is str else plain(field, value)

        return encode_text
    return encode


@functools.lru_cache(maxsize=256)
def encoder_of(kind: Kind) -> Encoders:
    """Returns (name, the text between salt and value, encode) per field, in the leaf's order."""
    return tuple((f.name, f'","{f.name}",', _encoder(f)) for f in kind.fields)


def check_value(field: Field, value: Value) -> None:
    """Checks one value against its field's type; raises InputError that names the field."""
    if value is None and field.nullable:
        return
    _ENCODERS[field.type](field, value)
