"""The rules that one organisation decides by: the packs that it adopted, with what it made stricter.

A country whose pack was not adopted is judged by the fallback `XX`, the strictest: so nothing is allowed by rules
that nobody took on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True, slots=True)
class Adopted:
    """A pack as an organisation adopted it: it may be made stricter, never laxer.

    `stricter` are words of STRICTER; `accepts` are the pack's risk triggers that the organisation takes on.
    """

    pack: Pack
    stricter: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All packs that an organisation has adopted, the newest adoption of each (id, version) last."""

    adopted: tuple[Adopted, ...]

    def candidates(self, countries: Sequence[str], day: date) -> tuple[Adopted, ...]:
        """Returns the packs that judge a recipient who may be in any of `countries`, on a day.

        One per country, without doubles, in the order of their names; the fallback for unknown countries, for those
        whose pack was not adopted, and for those none of whose versions is in force on that day. An organisation
        without a fallback gets () for these: decide() denies then.
        """
        raise NotImplementedError
