"""How old each register may be by the packs that an organisation adopted, and how old its import is; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from consentledger.law.deciding.calendar import beginning, earliest_day
from consentledger.law.pack import Pack, Register
from consentledger.registers.queries import Import

STATES = ("missing", "stale", "stale_soon", "fresh", "not_demanded")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """One register: what demands it, and what there is of it.

    `packs` demand it before a message goes out; `max_age_days` is the shortest that one of them allows (0: the same
    day). `stale_at` is when the import there is gets too old, None when there is none or none is demanded.
    """

    register: str
    name: str
    url: str
    packs: tuple[str, ...]
    max_age_days: int | None
    imported: Import | None
    stale_at: datetime | None
    state: str


def freshness(
    packs: Iterable[Pack], imported: Mapping[str, Import], now: datetime
) -> list[Freshness]:
    """Returns every register that an adopted pack demands or that was imported, by code."""
    demands: dict[str, list[tuple[Pack, Register]]] = {}
    for pack in packs:
        for register in pack.registers:
            if register.must_check:
                demands.setdefault(register.code, []).append((pack, register))
    codes = sorted(demands.keys() | imported.keys())
    return [_of(code, demands.get(code, []), imported.get(code), now) for code in codes]


def _of(
    code: str, demands: list[tuple[Pack, Register]], imported: Import | None, now: datetime
) -> Freshness:
    ends = [_stale_at(pack, register, imported) for pack, register in demands if imported]
    stale_at = min(ends, default=None)
    name, url = (demands[0][1].name, demands[0][1].url) if demands else (code, "")
    days = min((register.max_age_days for _, register in demands), default=None)
    packs = tuple(dict.fromkeys(pack.name for pack, _ in demands))
    state = _state(bool(demands), imported, stale_at, days, now)
    return Freshness(code, name, url, packs, days, imported, stale_at, state)


def _stale_at(pack: Pack, register: Register, imported: Import | None) -> datetime:
    assert imported is not None  # noqa: S101 - asked for imports only
    if register.max_age_days:
        return imported.as_of + timedelta(days=register.max_age_days)
    zones = pack.calendar.zones
    return beginning(earliest_day(imported.as_of, zones) + _DAY, zones)


def _state(
    demanded: bool,
    imported: Import | None,
    stale_at: datetime | None,
    days: int | None,
    now: datetime,
) -> str:
    if not demanded:
        return "not_demanded"
    if imported is None or stale_at is None:
        return "missing"
    if now >= stale_at:
        return "stale"
    # A quarter of its time is left, and at least a day to act.
    return "stale_soon" if stale_at - now <= max(_DAY, (days or 0) * _DAY / 4) else "fresh"


def sentence(one: Freshness) -> str:
    """Says a register's state in one line for people."""
    as_of = f"{one.imported.as_of:%Y-%m-%d %H:%M} UTC" if one.imported else "never"
    there = f"{one.imported.count} entries as of {as_of}" if one.imported else "never imported"
    limit = "the same day" if one.max_age_days == 0 else f"{one.max_age_days} days"
    demanded = (
        f"{', '.join(one.packs)} allow {limit}" if one.packs else "no adopted pack demands it"
    )
    said = {
        "missing": "MISSING: what it may forbid is denied",
        "stale": f"STALE since {one.stale_at:%Y-%m-%d %H:%M} UTC: what it may forbid is denied" if one.stale_at else "",
        "stale_soon": f"stale soon, at {one.stale_at:%Y-%m-%d %H:%M} UTC: import it again" if one.stale_at else "",
        "fresh": f"fresh until {one.stale_at:%Y-%m-%d %H:%M} UTC" if one.stale_at else "",
        "not_demanded": "not looked into",
    }[one.state]  # fmt: skip
    return f"{one.register}: {there}; {demanded}; {said}"
