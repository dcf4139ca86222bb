"""Public lists that must be looked into before sending, and how fresh that look must be when the message goes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from consentledger.law.deciding.calendar import beginning, earliest_day
from consentledger.law.deciding.place import Place
from consentledger.law.model import Facts, Reason
from consentledger.law.pack import Register


def against(place: Place, facts: Facts, person: str, basis: str) -> list[Reason]:
    """Returns what the registers say against a message on this basis; none for what they do not bind."""
    found = []
    for number, register in _binding(place, person, basis):
        rule = f"registers[{number}]"
        if not _fresh_until(place, register)[0]:
            found.append(place.reason("register_stale", rule))
        listed = register.code in facts.listed
        if register.blocks == "listed" and listed:
            found.append(place.reason("register_listed", rule))
        if register.blocks == "absent" and not listed:
            found.append(place.reason("register_absent", rule))
    return found


def until(place: Place, person: str, basis: str) -> datetime | None:
    """Returns when the first import that this basis rests on gets too old, None where it rests on none."""
    ends = (_fresh_until(place, register)[1] for _, register in _binding(place, person, basis))
    return min((end for end in ends if end is not None), default=None)


def _binding(place: Place, person: str, basis: str) -> Iterator[tuple[int, Register]]:
    # A regime of "only after a look into this register" makes that look its own condition.
    looked = basis == "opt_out" and place.regime(person) == "opt_out_register"
    wanted = place.pack.regime[place.channel].register if looked else None
    for number, register in enumerate(place.pack.registers):
        asked = register.code == wanted
        bound = register.must_check and basis in register.applies_to and person in register.persons
        if (asked or bound) and place.channel in register.channels:
            yield number, register


def _fresh_until(place: Place, register: Register) -> tuple[bool, datetime | None]:
    """Returns whether the newest import is fresh enough at sending, and when it no longer is."""
    as_of = dict(place.message.registers).get(register.code)
    if (
        as_of is None or as_of > place.at
    ):  # never imported; an import that is true in the future proves nothing
        return False, None
    if register.max_age_days:
        end = as_of + timedelta(days=register.max_age_days) + _INSTANT  # that old is not too old
        return place.at < end, end
    same_day = earliest_day(as_of, place.zones) >= place.day
    return same_day, beginning(place.days[1], place.zones) if same_day else None


_INSTANT = timedelta(microseconds=1)
