"""The rules that one organisation decides by: the packs that it adopted, with what it made stricter.

A country whose pack was not adopted is judged by the fallback `XX`, the strictest: so nothing is allowed by rules
that nobody took on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from consentledger.kernel.errors import InputError
from consentledger.law.pack import Pack

FALLBACK = "XX"
# What an organisation may tighten when it adopts a pack; `=N` takes a whole number of months.
STRICTER = (
    "exception=off",
    "exception.email=off",
    "exception.sms=off",
    "exception.months=N",
    "opt_out=off",
    "double_opt_in=required",
    "consent.months=N",
)
MAX_MONTHS = 1200
_MONTHS = re.compile(r"(exception|consent)\.months=([1-9][0-9]{0,3})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Adopted:
    """A pack as an organisation adopted it: it may be made stricter, never laxer.

    `stricter` are words of STRICTER; `accepts` are the pack's risk triggers that the organisation takes on.
    """

    pack: Pack
    stricter: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()

    def months(self, of: str) -> int | None:
        """Returns the fewest months that `stricter` leaves to `exception` or `consent`, None where it says none."""
        told = (_MONTHS.match(word) for word in self.stricter)
        return min(
            (int(word[2]) for word in told if word is not None and word[1] == of), default=None
        )


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All packs that an organisation has adopted, the newest adoption of each (id, version) last."""

    adopted: tuple[Adopted, ...]

    def candidates(self, countries: Sequence[str], day: date) -> tuple[Adopted, ...]:
        """Returns the packs that judge a recipient who may be in any of `countries`, on a day.

        One per country and id of a pack, the newest version in force on that day, without doubles, in the order of
        their names; the fallback for unknown countries, for those whose pack was not adopted, and for those none of
        whose versions is in force on that day. An organisation without a fallback gets () when any country needs it:
        decide() denies then.
        """
        in_force = self._in_force(day)
        found: dict[str, Adopted] = {}
        for country in countries or ("",):
            ours = [one for one in in_force.values() if country and country in one.pack.countries]
            if not ours and FALLBACK not in in_force:
                return ()
            for one in ours or (in_force[FALLBACK],):
                found[one.pack.name] = one
        return tuple(found[name] for name in sorted(found))

    def _in_force(self, day: date) -> dict[str, Adopted]:
        """Returns by id the adopted version that is in force: the highest, and its newest adoption."""
        found: dict[str, Adopted] = {}
        for one in self.adopted:
            pack = one.pack
            if pack.valid_from <= day and (pack.valid_until is None or day < pack.valid_until):
                known = found.get(pack.id)
                if known is None or int(known.pack.version) <= int(pack.version):
                    found[pack.id] = one
        return found


def check_stricter(words: Sequence[str], accepts: Sequence[str], pack: Pack) -> None:
    """Refuses what would not make a pack stricter, and risks that it does not know; InputError names the field."""
    for word in words:
        months = _MONTHS.match(word)
        if months is None and (word not in STRICTER or word.endswith("=N")):
            known = ", ".join(STRICTER)
            raise _wrong("stricter", f"{word[:64]!r} is not one of {known}", "unknown")
        if months is not None and int(months[2]) > MAX_MONTHS:
            raise _wrong("stricter", f"{word}: at most {MAX_MONTHS} months", "range")
        if months is not None and months[1] == "consent":
            _check_months(int(months[2]), pack)
    for trigger in accepts:
        if trigger not in pack.exception.risk_triggers:
            known = ", ".join(pack.exception.risk_triggers) or "none"
            why = f"{trigger[:64]!r} is no risk that {pack.name} leaves to you (it knows: {known})"
            raise _wrong("accepts", why, "unknown")
    for field, told in (("stricter", words), ("accepts", accepts)):
        if len(set(told)) < len(told):
            raise _wrong(field, "something stands twice", "duplicate")


def _check_months(months: int, pack: Pack) -> None:
    by_law = pack.consent.expires_months
    if by_law is not None and months > by_law:
        why = f"consent.months={months} would be laxer than the {by_law} months of {pack.name}"
        raise _wrong("stricter", why, "laxer")


def _wrong(field: str, why: str, reason: str) -> InputError:
    return InputError(f"{field}: {why}", field=field, reason=reason)
