"""Rule packs: read strictly from TOML, and known by the hash of their bytes."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from consentledger.kernel.errors import InputError, NotFoundError
from consentledger.law.first.decide import RULES
from consentledger.law.first.model import CONFIDENCES, Citation, Pack, Rule

FOLDER = Path(__file__).parent
# What the project published: a verifier calls a pack with another hash "unknown", whatever its name says.
PUBLISHED: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("consent_only", "1"): (
            "consent_only.toml",
            "c20c2a5bc392f0ef2c7e30377d9cb3a39b7c0aa84e9d3cd956f5ff2414723452",
        ),
    }
)
DEFAULT = ("consent_only", "1")
MAX_BYTES = 1 << 20
_ID = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
_CITATION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)
_CODE = re.compile(r"[a-z][a-z_]{0,63}\Z", re.ASCII)
_KEYS = {
    "id": str,
    "version": str,
    "title": str,
    "status": str,
    "confidence": str,
    "valid_from": date,
    "citations": list,
    "channels": dict,
    "rules": dict,
    "duties": list,
}
_CITATION = {"id": str, "title": str, "section": str, "url": str, "confidence": str}
_RULE = {"code": str, "says": str, "citations": list}


@cache
def pack(pack_id: str, version: str) -> Pack:
    """Returns a pack that the project published; NotFoundError for any other.

    InputError when the file's bytes are not the published ones: the installation was changed by hand.
    """
    try:
        name, pinned = PUBLISHED[pack_id, version]
    except KeyError:
        raise NotFoundError(f"no rule pack {pack_id}@{version} was published") from None
    loaded = load(pack_bytes(pack_id, version), file=name)
    if loaded.hash != pinned:
        raise _wrong(name, "hash", "it is not the file that the project published", "hash")
    return loaded


def default_pack() -> Pack:
    """Returns the pack that decides where an organisation has adopted no other."""
    return pack(*DEFAULT)


def pack_bytes(pack_id: str, version: str) -> bytes:
    """Returns a published pack's file, for bundles (`rules/<pack>@<version>.toml`)."""
    try:
        return (FOLDER / PUBLISHED[pack_id, version][0]).read_bytes()
    except KeyError:
        raise NotFoundError(f"no rule pack {pack_id}@{version} was published") from None


def is_published(candidate: Pack) -> bool:
    """Tells whether the project published exactly these bytes under this id and version."""
    known = PUBLISHED.get((candidate.id, candidate.version))
    return known is not None and known[1] == candidate.hash


def load(data: bytes, *, file: str = "pack.toml") -> Pack:
    """Reads a pack's bytes; an InputError names file, key and reason of whatever is not exactly right.

    Unknown and missing keys, wrong types, citations that stand nowhere, and a missing rule are all refused: a
    slip of the pen must not make a rule silently void.
    """
    table = _parse(data, file)
    _check(table, _KEYS, file, "", optional={"valid_until": date})
    _words(table, file)
    citations = _citations(table["citations"], file)
    if not all(isinstance(regime, str) for regime in table["channels"].values()):
        raise _wrong(file, "channels", "a regime is a word", "type")
    for channel, regime in table["channels"].items():
        if regime != "opt_in":
            raise _wrong(file, f"channels.{channel}", f"unknown regime {regime!r}", "unknown")
    rules = {
        name: _rule(name, entry, citations, file, f"rules.{name}")
        for name, entry in table["rules"].items()
    }
    for name in sorted(RULES ^ rules.keys()):
        reason = "missing" if name in RULES else "unknown"
        raise _wrong(file, f"rules.{name}", f"this rule is {reason}", reason)
    duties = [
        _rule(f"duties.{number}", entry, citations, file, f"duties[{number}]")
        for number, entry in enumerate(table["duties"])
    ]
    return Pack(
        id=table["id"],
        version=table["version"],
        title=table["title"],
        status=table["status"],
        confidence=table["confidence"],
        valid_from=table["valid_from"],
        valid_until=table.get("valid_until"),
        channels=MappingProxyType(table["channels"]),
        citations=tuple(citations.values()),
        rules=MappingProxyType(rules),
        duties=tuple(duties),
        hash=hashlib.sha256(data).hexdigest(),
    )


def _parse(data: bytes, file: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise _wrong(file, "file", f"it is longer than {MAX_BYTES} bytes", "too_long")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (
        ValueError,
        RecursionError,
    ) as error:  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
        raise _wrong(file, "file", f"it is not TOML: {error}", "malformed") from error


def _words(table: dict[str, Any], file: str) -> None:
    for key, pattern in (("id", _ID), ("version", _VERSION)):
        if pattern.match(table[key]) is None:
            raise _wrong(file, key, f"{table[key]!r} has the wrong form", "format")
    for key, allowed in (("status", ("published", "draft")), ("confidence", CONFIDENCES)):
        if table[key] not in allowed:
            raise _wrong(file, key, f"{table[key]!r} is not one of {', '.join(allowed)}", "unknown")
    until = table.get("valid_until")
    if until is not None and until <= table["valid_from"]:
        raise _wrong(file, "valid_until", "it is not after valid_from", "order")


def _citations(entries: list[Any], file: str) -> dict[str, Citation]:
    found: dict[str, Citation] = {}
    for number, entry in enumerate(entries):
        where = f"citations[{number}]"
        _check(entry, _CITATION, file, where)
        citation = Citation(**entry)
        if _CITATION_ID.match(citation.id) is None or citation.id in found:
            raise _wrong(file, f"{where}.id", "it is malformed, or stands twice", "format")
        if citation.confidence not in CONFIDENCES:
            raise _wrong(file, f"{where}.confidence", "it is not a known word", "unknown")
        if not citation.url.startswith("https://"):
            raise _wrong(file, f"{where}.url", "it is no https address", "format")
        found[citation.id] = citation
    return found


def _rule(name: str, entry: Any, citations: dict[str, Citation], file: str, where: str) -> Rule:
    _check(entry, _RULE, file, where)
    if _CODE.match(entry["code"]) is None or not entry["says"]:
        raise _wrong(file, where, "its code or text is malformed", "format")
    if not entry["citations"]:
        raise _wrong(file, f"{where}.citations", "a rule needs a source", "missing")
    places = []
    for cited in entry["citations"]:
        if not isinstance(cited, str) or cited not in citations:
            raise _wrong(file, f"{where}.citations", f"no citation {cited!r}", "unknown")
        places.append(f"{citations[cited].title}, {citations[cited].section}")
    return Rule(name, entry["code"], entry["says"], "; ".join(places))


def _check(
    table: Any,
    keys: Mapping[str, type],
    file: str,
    where: str,
    optional: Mapping[str, type] = MappingProxyType({}),
) -> None:
    if not isinstance(table, dict):
        raise _wrong(file, where, "it is no table", "type")
    prefix = f"{where}." if where else ""
    for key in sorted(table.keys() - keys.keys() - optional.keys()):
        raise _wrong(file, f"{prefix}{key}", "this key is unknown", "unknown")
    for key in sorted(keys.keys() - table.keys()):
        raise _wrong(file, f"{prefix}{key}", "this key is missing", "missing")
    for key, value in table.items():
        wanted = keys.get(key) or optional[key]
        # TOML's instants are dates to Python: a pack says days only.
        if not isinstance(value, wanted) or isinstance(value, datetime):
            raise _wrong(file, f"{prefix}{key}", f"it must be a {wanted.__name__}", "type")


def _wrong(file: str, key: str, why: str, reason: str) -> InputError:
    return InputError(f"rule pack {file}, {key}: {why}", field=key, reason=reason)
