"""Which version of a pack holds on a day, of those that this installation brings."""

from __future__ import annotations

from datetime import date

from consentledger.kernel.errors import NotFoundError
from consentledger.law.pack import Pack
from consentledger.law.reading import packs


def ids() -> tuple[str, ...]:
    """Returns the ids of all packs, sorted."""
    return tuple(dict.fromkeys(name.partition("@")[0] for name in packs.names()))


def versions(pack_id: str) -> tuple[Pack, ...]:
    """Returns every version of a pack, the oldest first; NotFoundError when there is none."""
    found = [packs.pack(name) for name in packs.names() if name.partition("@")[0] == pack_id]
    if not found:
        raise NotFoundError(f"no rule pack {pack_id} is known here")
    return tuple(found)


def in_force(pack_id: str, day: date) -> Pack:
    """Returns the highest version that is in force on a day, else the highest; NotFoundError when there is none."""
    found = versions(pack_id)
    now = [
        pack
        for pack in found
        if pack.valid_from <= day and (pack.valid_until is None or day < pack.valid_until)
    ]
    return (now or found)[-1]


def of_country(country: str, day: date) -> Pack:
    """Returns the pack that is for a country on a day (ISO 3166-1 alpha-2, upper case), else the fallback."""
    for pack_id in ids():
        found = in_force(pack_id, day)
        if country in found.countries:
            return found
    return in_force(packs.FALLBACK, day)


def named(name: str, day: date) -> Pack:
    """Returns `IN@2` by its name, or by `IN` the version in force on a day; NotFoundError for what is not here."""
    return packs.pack(name) if "@" in name else in_force(name, day)
