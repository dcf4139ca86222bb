"""The European rows side by side: what holds in each, so that no row is right by accident where its own cases are few.

Read from the rows' sources like the cases; `free` and `customers` are complete: what they do not name is forbidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NATURAL, SOLE, LEGAL = "natural", "sole_trader", "legal"
PERSONS = (NATURAL, SOLE, LEGAL)
CAPACITIES = ("private", "role_relevant", "role_irrelevant", "impersonal", "unknown")
ROLE, IMPERSONAL = ("role_relevant",), ("impersonal",)
# A role-bound regime lets a company's info@ pass: it is nobody's.
ROLE_OR_NOBODY = ("role_relevant", "impersonal")
PEOPLE, ALL = (NATURAL, SOLE), PERSONS
PAID, FREE = "sale_paid", "sale_indirect_remuneration"
# The day before and the day after so many months back from 24 November 2026.
MONTHS_BACK = {
    12: ("2025-11-23", "2025-11-25"),
    24: ("2024-11-23", "2024-11-25"),
    33: ("2024-02-23", "2024-02-25"),
}
Free = Mapping[tuple[str, str], tuple[str, ...]]


def both(person: str, capacities: tuple[str, ...]) -> Free:
    """The same for e-mail and SMS."""
    return {("email", person): capacities, ("sms", person): capacities}


@dataclass(frozen=True)
class Row:
    """What a row's sources say.

    `free`: by channel and person, the capacities in which advertising needs no consent. `customers`: by channel, who
    may be written to as a customer. `triggers`: what makes a customer; `risks`: those that the organisation must take
    on. `confirmed`: whether consent must have been confirmed. `warn`: months without use after which consent ought to
    be refreshed; `review`: whether ten years without use need a review. `lists`: registers, and on which channels
    they bind which persons who did not consent.
    """

    source: str
    customers: Mapping[str, tuple[str, ...]]
    free: Free = field(default_factory=dict)
    triggers: tuple[str, ...] = (PAID, FREE)
    risks: tuple[str, ...] = (FREE,)
    confirmed: bool = False
    warn: int = 24
    review: bool = False
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


_PEOPLE = {"email": PEOPLE, "sms": PEOPLE}
_ALL = {"email": ALL, "sms": ALL}
GRID = {
    "EU": Row("Directive 2002/58/EC art. 13", _PEOPLE),
    "DE": Row("UWG § 7; BGH I ZR 164/09", {"email": ALL, "sms": ()}, confirmed=True, review=True),
    "AT": Row("TKG 2021 § 174; ECG § 7(2)", _ALL, confirmed=True, lists={"AT-ECG": {"email": ALL}}),
    "FR": Row("CPCE L.34-5; CNIL", _PEOPLE, both(LEGAL, ROLE_OR_NOBODY), warn=33, review=True),
    "IT": Row("Codice privacy art. 130", {"email": PEOPLE, "sms": ()}, confirmed=True),
    "ES": Row("LSSI art. 21", _ALL, lists={"ES-ROBINSON": {"email": ALL, "sms": ALL}}),
    "NL": Row(
        "Telecommunicatiewet art. 11.7",
        _ALL,
        triggers=(PAID, FREE, "donation"),
        risks=(FREE, "donation"),
    ),
    "BE": Row("royal decree of 4 April 2003 art. 1", _ALL, both(LEGAL, IMPERSONAL)),
    "IE": Row(
        "S.I. 336/2011 reg. 13",
        _PEOPLE,
        {("email", NATURAL): ROLE, ("email", SOLE): ROLE, **both(LEGAL, CAPACITIES)},
        warn=12,
    ),
    "SE": Row("marknadsföringslagen § 19", _PEOPLE, both(LEGAL, CAPACITIES)),
    "DK": Row("markedsføringsloven § 10", _ALL, warn=12),
    "FI": Row("act 917/2014 §§ 200, 202", _PEOPLE, both(LEGAL, ROLE_OR_NOBODY)),
    "PL": Row("PKE art. 398", {"email": (), "sms": ()}),
    "CZ": Row("act 480/2004 § 7", _ALL),
    "PT": Row(
        "law 41/2004 art. 13-A",
        _ALL,
        both(LEGAL, CAPACITIES),
        lists={"PT-DGC": {"email": (LEGAL,), "sms": (LEGAL,)}},
    ),
    "RO": Row("laws 365/2002 and 506/2004", {"email": (), "sms": PEOPLE}),
    "HU": Row("Grt. § 6, draft", {"email": (), "sms": ()}),
    "GR": Row("law 3471/2006 art. 11", _ALL),
    "NO": Row(
        "markedsføringsloven § 15",
        _PEOPLE,
        both(LEGAL, IMPERSONAL),
        triggers=(PAID,),
        risks=(),
    ),
}
