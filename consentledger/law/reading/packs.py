"""The rule packs that this installation brings, and which of them the project published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from consentledger.kernel.errors import NotFoundError
from consentledger.law.pack import Pack
from consentledger.law.reading.loading import inherits, load, sections
from consentledger.law.reading.published import PUBLISHED
from consentledger.law.reading.tables import Reader

__all__ = [
    "FALLBACK",
    "FOLDER",
    "PUBLISHED",
    "inherits",
    "is_published",
    "load",
    "names",
    "newest",
    "pack",
    "pack_bytes",
    "pack_of_country",
    "sections",
]
FOLDER = Path(__file__).parents[1] / "packs"
FALLBACK = "XX"
_FILE = re.compile(r"([A-Z]{2}(?:-[A-Z][A-Z0-9]{0,7})?)(?:-([1-9][0-9]{0,8}))?\.toml\Z", re.ASCII)


@cache
def _files() -> Mapping[tuple[str, str], Path]:
    """Returns the packs that this installation brings, by id and version."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        name = _FILE.match(path.name)
        if name is not None:
            found[name[1], name[2] or "1"] = path
    return MappingProxyType(found)


def names() -> tuple[str, ...]:
    """Returns the names (`DE@1`) of all packs that this installation brings, sorted by id and version."""
    ordered = sorted(_files(), key=lambda key: (key[0], int(key[1])))
    return tuple(f"{pack_id}@{version}" for pack_id, version in ordered)


@cache
def pack(name: str, version: str | None = None) -> Pack:
    """Returns a pack that this installation brings, as `pack("DE@1")` or `pack("DE", "1")`; NotFoundError for others.

    InputError when the bytes are not the published ones: the installation was changed by hand.
    """
    key = _key(name, version)
    file = _file(key)
    data = file.read_bytes()
    loaded = load(data, _bytes_of_parents(data), file=file.name)
    reader = Reader(file.name)
    if (loaded.id, loaded.version) != key:
        raise reader.wrong("id", "id and version are not those of the file's name", "unknown")
    if PUBLISHED.get(key, loaded.hash) != loaded.hash:
        raise reader.wrong("hash", "it is not the file that the project published", "hash")
    return loaded


def pack_bytes(name: str, version: str | None = None) -> bytes:
    """Returns the file of a pack that this installation brings, for bundles (`rules/<pack>@<version>.toml`)."""
    return _file(_key(name, version)).read_bytes()


def newest(pack_id: str) -> Pack:
    """Returns the newest version of a pack that this installation brings; NotFoundError without any."""
    versions = [int(version) for known, version in _files() if known == pack_id]
    if not versions:
        raise NotFoundError(f"no rule pack {pack_id} is known here")
    return pack(pack_id, str(max(versions)))


def pack_of_country(country: str | None) -> Pack:
    """Returns the newest pack for a country (ISO 3166-1 alpha-2, upper case), the fallback where none is for it."""
    for pack_id in sorted({known for known, _ in _files()}):
        found = newest(pack_id)
        if country in found.countries:
            return found
    return newest(FALLBACK)


def is_published(candidate: Pack) -> bool:
    """Tells whether the project published exactly these bytes under this id and version."""
    return PUBLISHED.get((candidate.id, candidate.version)) == candidate.hash


def _key(name: str, version: str | None) -> tuple[str, str]:
    pack_id, _, told = name.partition("@")
    return pack_id, version or told


def _file(key: tuple[str, str]) -> Path:
    try:
        return _files()[key]
    except KeyError:
        raise NotFoundError(f"no rule pack {key[0]}@{key[1]} is known here") from None


def _bytes_of_parents(data: bytes) -> dict[str, bytes]:
    """Returns the bytes of the packs that a file inherits from, as far as this installation brings them."""
    found: dict[str, bytes] = {}
    parent = inherits(data)
    while parent is not None and parent not in found:
        key = _key(parent, None)
        if key not in _files():
            break  # load() says what is missing, and where
        found[parent] = _files()[key].read_bytes()
        parent = inherits(found[parent])
    return found
