"""What a decision is made from and what it says. Facts and verdicts; nothing here knows a database.

Dates that decisions turn on are `Day`s: an ISO date, or one word for all dates that give the same answer to every
rule in play (`current`: well inside each period; `old`: outside each). `law.deciding.canonical` makes them so, and
decide() takes either: so a million recipients share a few hundred patterns of facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

MESSAGE_CLASSES = ("marketing", "service", "tracking")
# What a message declared as `service` may hold that makes it marketing after all.
CONTAINS = ("promotion", "survey", "review_request", "reconfirmation", "consent_request")
CHANNELS = ("email", "sms")
RECIPIENTS = ("record", "stranger", "invalid", "duplicate")
PERSONS = ("natural", "sole_trader", "legal", "unknown")
CAPACITIES = ("private", "role_relevant", "role_irrelevant", "impersonal", "unknown")
CONSENT_STATES = (
    "none",
    "requested",
    "confirmed",
    "declined",
    "expired",
    "withdrawn",
    "paused",
    "lapsed",
)
# How a consent came: confirmed by double opt-in, by a single act, or only attested by the marketer.
GRADES = ("double_opt_in", "single_opt_in", "attested", "none")
OBJECTIONS = ("none", "active", "suppressed")
TRIGGERS = (
    "sale_paid",
    "sale_indirect_remuneration",
    "negotiation",
    "inquiry",
    "donation",
    "ongoing_relationship",
    "published_address",
    "business_card",
)
RELATIONS = ("same_kind", "similar", "other", "unmapped")
FLAGS = ("same_person", "directly", "offered", "refused", "told")
VERDICTS = ("allow", "deny", "review")
BASES = ("consent", "existing_customer", "opt_out", "service")
CURRENT, OLD = "current", "old"
Day = str


@dataclass(frozen=True, slots=True)
class Message:
    """What all messages of a batch share, as its entry commits it.

    `contains` are words of CONTAINS. `send_at` (UTC) is when it goes out: ages, freshness and hours are judged then.
    `registers` pairs each external register that the organisation imported with the instant that its newest import
    was true at. `tracking` says that the message tracks the individual's opens or clicks.
    """

    message_class: str
    channel: str
    send_at: datetime
    contains: tuple[str, ...] = ()
    registers: tuple[tuple[str, datetime], ...] = ()
    tracking: bool = False


class Customer(NamedTuple):
    """One recorded sale, negotiation or other ground of the existing-customer exception, as the decision sees it.

    `trigger` of TRIGGERS; `on` the Day it happened; `ended_on` the Day an ongoing relationship ended, None while it
    lasts or where there is none. `renewed_on`: the Day of the last marketing message on this channel that was reported
    sent under the exception itself and on no other basis, None without one. Such a message was only permitted while
    the exception carried, so that none bridges a silent gap. `relation` of RELATIONS: the message's products against
    the sale's, by the organisation's published category tree. `flags` are words of FLAGS in that order: the seller was
    the same legal person; the address was obtained directly from the customer; an opt-out was offered when it was
    collected; the customer refused then; the customer was told that it would be used for advertising.
    """

    trigger: str
    on: Day
    ended_on: Day | None
    renewed_on: Day | None
    relation: str
    flags: tuple[str, ...]

    def text(self) -> str:
        """The ground as a permit's line tells it: words, one space between, `-` for no end and for no renewal."""
        ended, renewed = self.ended_on or "-", self.renewed_on or "-"
        return " ".join((self.trigger, self.on, ended, renewed, self.relation, *self.flags))

    @classmethod
    def parse(cls, text: str) -> Customer:
        """Reads what `text` wrote; ValueError for anything else."""
        trigger, on, ended, renewed, relation, *flags = text.split(" ")
        ended_on, renewed_on = (None if day == "-" else day for day in (ended, renewed))
        found = cls(trigger, on, ended_on, renewed_on, relation, tuple(flags))
        if found.text() != text:
            raise ValueError("not a customer's ground")
        return found


class Facts(NamedTuple):
    """All that a decision on one recipient depends on, beside the message, the rulebook and the clock.

    `recipient`: `record` when the permit names a contact; the other words name none and are the organisation's own.
    `countries`: upper-case ISO 3166-1 codes of where the recipient may be, sorted; empty: unknown.
    `person`, `capacity`: what kind of person holds the address, and in which capacity (`role_relevant`: a business
    address and the message concerns that role; `impersonal`: info@ and its like).
    `consent`, `grade`, `consented_on`: state of (contact, sender, purpose, channel), how it came, and when.
    `sent_on`: the Day of the last marketing message that was reported sent on this channel, on whatever basis.
    `objection`: `active`: a stop covers this; `suppressed`: an erasure left one.
    `closed`: a stop, a refused box, `not me` or a complaint closed the exception for this channel, and no newer
    confirmed act opened it. `customer`: the best ground on record, None without.
    `listed`: codes of registers that list the recipient, sorted.
    `tracking`: state of the consent to be tracked, `none` where it was not asked.
    """

    recipient: str = "record"
    countries: tuple[str, ...] = ()
    person: str = "unknown"
    capacity: str = "unknown"
    consent: str = "none"
    grade: str = "none"
    consented_on: Day | None = None
    sent_on: Day | None = None
    objection: str = "none"
    closed: bool = False
    customer: Customer | None = None
    listed: tuple[str, ...] = ()
    tracking: str = "none"


class Reason(NamedTuple):
    """Why: a short machine word, the rule as `<pack>@<version>#<section>`, its source for people."""

    code: str
    rule: str
    source: str


class Duty(NamedTuple):
    """What the permitted message must carry or do: a machine word, a value where one is prescribed, rule and source.

    For example `subject_label` with the value `(광고)`, or `statement_language` with `ko`.
    """

    code: str
    value: str | None
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision. `reasons` are never empty; duties stand only where allowed.

    `verdict` is allow, deny, or review (a person must look first; nothing may be sent until then).
    `until` is the instant from which the same facts would be judged otherwise (an age, an hour, a freshness ends),
    None when nothing ends. `packs` name the rule packs that decided, in the order of the candidates.
    """

    verdict: str
    basis: str | None
    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...] = ()
    until: datetime | None = None
    packs: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Tells whether the message may go; what needs a review may not."""
        return self.verdict == "allow"

    @property
    def codes(self) -> str:
        """The reasons' codes joined by commas, each once, as a permit's line holds them."""
        return ",".join(dict.fromkeys(reason.code for reason in self.reasons))
