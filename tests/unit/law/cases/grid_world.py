"""The rows beyond Europe side by side: what holds in each, so that no row is right by accident.

Read from the rows' sources like the cases; `free`, `customers`, `triggers` and `lists` are complete: what they do
not name is forbidden, or does not bind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.unit.law.cases.table import SEND_AT

NATURAL, SOLE, LEGAL = "natural", "sole_trader", "legal"
PEOPLE, ALL = (NATURAL, SOLE), (NATURAL, SOLE, LEGAL)
PAID, TALKS, ASKED, GIFT = "sale_paid", "negotiation", "inquiry", "donation"
ONGOING, PUBLISHED, CARD = "ongoing_relationship", "published_address", "business_card"
ANY_KIND = ("same_kind", "similar", "other", "unmapped")
LIKE = ("same_kind", "similar")
# In force on this day is the second version of India.
LATER = datetime(2027, 6, 1, 10, tzinfo=UTC)
# All zones of the United States are within their hours.
AMERICAN_DAY = datetime(2026, 11, 24, 19, tzinfo=UTC)


@dataclass(frozen=True)
class Listing:
    """A register: the channels and persons that it binds, and the bases that it binds; `in_it`: who is free."""

    channels: tuple[str, ...]
    persons: tuple[str, ...]
    bases: tuple[str, ...]
    days: int
    in_it: bool = False


@dataclass(frozen=True)
class Row:
    """What a row's sources say.

    `free`: by channel, who may be written to without consent. `customers`: by channel, who may be as a customer.
    `triggers` make one; `risks` of them only for an organisation that takes them on. `disclosed`: who may be written
    to because of an address given out, and whether only about the role. `products`: relations that are near enough.
    `ends`: the relationship's end ends the exception. `labels` and `postal`: duties of a message on consent.
    """

    source: str
    free: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    customers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    triggers: tuple[str, ...] = (PAID,)
    risks: tuple[str, ...] = ()
    disclosed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    role: bool = False
    products: tuple[str, ...] = LIKE
    offered: bool = True
    told: bool = False
    ends: bool = False
    consent_ends: bool = False
    confirmed: bool = False
    warn: int = 24
    postal: bool = False
    contact: bool = True
    label: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, Listing] = field(default_factory=dict)
    at: datetime = SEND_AT


BOTH = ("email", "sms")
_ALL = {"email": ALL, "sms": ALL}
_PEOPLE = {"email": PEOPLE, "sms": PEOPLE}
_FIRMS = {"email": (LEGAL,), "sms": (LEGAL,)}
_INDIA = {"IN-DND": Listing(("sms",), ALL, ("consent",), 1)}
GRID = {
    "CH": Row("UWG art. 3(1)(o)", customers=_ALL),
    "GB": Row(
        "PECR 2003 reg. 22",
        _FIRMS,
        _PEOPLE,
        (PAID, TALKS, GIFT),
        risks=(GIFT,),
    ),
    "US": Row(
        "CAN-SPAM; TCPA",
        {"email": ALL},
        postal=True,
        lists={
            "US-WIRELESS": Listing(("email",), ALL, ("opt_out",), 30),
            "US-DNC": Listing(("sms",), ALL, (), 31),
        },
        at=AMERICAN_DAY,
    ),
    "CA": Row(
        "CASL s. 10",
        {},
        _ALL,
        (PAID, ASKED, GIFT, ONGOING),
        risks=(GIFT,),
        disclosed={PUBLISHED: ALL, CARD: ALL},
        role=True,
        products=ANY_KIND,
        offered=False,
        postal=True,
    ),
    "AU": Row(
        "Spam Act 2003 Sch. 2",
        {},
        _ALL,
        (ONGOING,),
        disclosed={PUBLISHED: ALL},
        role=True,
        offered=False,
        ends=True,
    ),
    "NZ": Row(
        "UEMA 2007 ss. 4, 9",
        {},
        _ALL,
        (ONGOING,),
        disclosed={PUBLISHED: ALL},
        role=True,
        offered=False,
        ends=True,
    ),
    "JP": Row(
        "Specified Electronic Mail Act arts. 3, 4",
        {},
        _ALL,
        (ONGOING, CARD),
        disclosed={PUBLISHED: (SOLE, LEGAL)},
        products=ANY_KIND,
        offered=False,
        ends=True,
        postal=True,
    ),
    "KR": Row(
        "Network Act art. 50",
        {},
        _ALL,
        products=("same_kind",),
        offered=False,
        postal=True,
        label={"email": "(광고)", "sms": "(광고)"},
    ),
    "SG": Row(
        "Spam Control Act; PDPA Part 9",
        _ALL,
        {"sms": PEOPLE},
        (ONGOING,),
        offered=False,
        ends=True,
        lists={"SG-DNC": Listing(("sms",), PEOPLE, ("opt_out",), 21)},
    ),
    "HK": Row(
        "UEMO; PDPO Part 6A",
        _FIRMS,
        postal=True,
        lists={"HK-DNC": Listing(("sms",), ALL, ("opt_out",), 14)},
    ),
    "CN": Row("mail measures; Advertising Law", label={"email": "AD"}),
    "IN": Row("no rule before 14 May 2027; TCCCPR", lists=_INDIA),
    "IN later": Row("DPDP Act; TCCCPR", lists=_INDIA, at=LATER),
    "BR": Row("LGPD arts. 7, 10", {}, _PEOPLE, (PAID, ONGOING)),
    "MX": Row(
        "LFPC arts. 17, 18",
        _ALL,
        postal=True,
        lists={"MX-REPEP": Listing(("sms",), PEOPLE, ("consent", "opt_out"), 30)},
    ),
    "ZA": Row(
        "POPIA s. 69; Consumer Protection Act s. 11",
        {},
        _ALL,
        postal=True,
        lists={"ZA-NCC": Listing(BOTH, ALL, ("consent", "existing_customer"), 31)},
    ),
    "IL": Row(
        "Communications Law s. 30A",
        {},
        _ALL,
        (PAID, TALKS),
        told=True,
        ends=True,
        consent_ends=True,
        postal=True,
        label={"email": "פרסומת"},
    ),
    "TR": Row(
        "act 6563 art. 6; İYS",
        {"email": (SOLE, LEGAL), "sms": (SOLE, LEGAL)},
        lists={"TR-IYS": Listing(BOTH, ALL, ("consent", "opt_out"), 0, in_it=True)},
    ),
    "XX": Row("promise 9: the strictest reading", confirmed=True, warn=12, postal=True),
}
