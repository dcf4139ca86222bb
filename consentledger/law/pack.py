"""A rule pack: one jurisdiction's rules as data. Each section of a pack's file is one of these classes.

Key by key, a table of the file is a class here and a key is a field: what a lawyer reads is what decide() reads. Every
section says in plain words what it rules (`says`, read aloud on the rules pages) and cites by id where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

REGIMES = (
    "opt_in",
    "opt_out",
    "opt_out_role_relevant",  # without consent only where the message concerns the holder's role
    "opt_out_impersonal",  # without consent only to info@ and its like
    "opt_out_register",  # without consent only after a look into the register named in `register`
    "opt_in_written",
    "no_rule",  # read as opt_in (strictest reading)
)
UNITS = ("days", "months", "years", "business_days")
DOUBLE_OPT_IN = (
    "required",
    "regulator_minimum_measure",
    "de_facto_required",
    "recommended",
    "not_required",
)
PRODUCTS = ("similar", "same_kind", "any")
KINDS = ("primary", "secondary", "memory")
CONFIDENCES = ("high", "medium", "low", "policy")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


@dataclass(frozen=True, slots=True)
class Citation:
    """One place in a text of law or guidance; `kind` says how it was read (memory: to be checked)."""

    id: str
    title: str
    section: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Section:
    """What every section has."""

    says: str
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Regime(Section):
    """The regime of one channel, by kind of person (`sole_trader` falls back to `natural`)."""

    natural: str
    legal: str
    sole_trader: str | None = None
    register: str | None = None


@dataclass(frozen=True, slots=True)
class Period(Section):
    """How long a ground carries: `count` `unit`s counted backward from the day of sending, in `zone`.

    `triggers`: the grounds it is for. `starts`: `event` (the sale), or `end` (of a contract or subscription; until then
    it does not run). `first_day_counts`: whether the day of sending itself is day one. `renewed_by_message`: each
    message that was sent within the period on this very basis starts it anew (Ireland).
    """

    triggers: tuple[str, ...]
    count: int
    unit: str
    starts: str = "event"
    first_day_counts: bool = False
    renewed_by_message: bool = False


@dataclass(frozen=True, slots=True)
class Exemption(Section):
    """The existing-customer exception of this jurisdiction.

    `triggers`: words of law.model.TRIGGERS that suffice; `risk_triggers`: those of them that only count where the
    organisation accepted the risk when it adopted the pack (C-654/23). `persons`: natural, sole_trader, legal.
    `products`: how near the advertised products must be. `periods`: none: no age limit.
    `disclosed`: those of `triggers` by which the holder gave the address out for such messages (published it, handed
    over a card): the conditions of a sale (seller, products, collected directly, opt-out at collection) do not bind
    them; a refusal, `closed` and each message's opt-out do. They count for `disclosed_persons` only, and, when
    `disclosed_role_relevant`, only in the capacity `role_relevant`. `not_before`: by trigger, the first day on which
    a ground of that kind counts (a law that does not reach back to older addresses).
    """

    available: bool
    channels: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    risk_triggers: tuple[str, ...] = ()
    same_legal_person: bool = True
    products: str = "similar"
    opt_out_at_collection: bool = True
    opt_out_in_each_message: bool = True
    collected_directly: bool = True
    told_use_for_advertising: bool = False
    ends_with_relationship: bool = False
    disclosed: tuple[str, ...] = ()
    disclosed_persons: tuple[str, ...] = ()
    disclosed_role_relevant: bool = False
    not_before: Mapping[str, date] = field(default_factory=dict)
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent(Section):
    """What consent needs and how long it carries; months are counted back from the day of sending.

    `double_opt_in` of DOUBLE_OPT_IN: the first three are read as required for a consent that is relied on.
    `expires_months`: by law. `dormancy_warning_months`: after so long without use a permit carries the duty
    `refresh_consent`; `dormancy_review_months`: after so long it needs a review. Messages that were sent count as use
    unless `dormancy_renewed_by_message` is false (France). `notice_months`: a notice duty (Korea), never an expiry.
    `ends_with_relationship`: a contract's end refuses, so earlier consent ends too (Israel). `one_request_to`: persons
    who may be asked for consent once (South Africa); told, not decided: no record shows that a request is the first.
    """

    standard: str
    double_opt_in: str
    expires_months: int | None = None
    dormancy_warning_months: int | None = None
    dormancy_review_months: int | None = None
    dormancy_renewed_by_message: bool = True
    notice_months: int | None = None
    ends_with_relationship: bool = False
    one_request_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity(Section):
    """What the message must tell of its sender; words are required, recommended or not_required."""

    legal_name: str
    postal_address: str
    contact_channel: str
    po_box_allowed: bool = True
    accurate_days: int | None = None
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsubscribe(Section):
    """The way out: until when a stop must be honoured, and what it may cost.

    `days` of `unit` (days or business_days; 0: at once), counted by the holidays of `calendar` (recipient or
    sender), forward from receipt; `first_day_counts` as in Period. `statutory`: the number stands in the text.
    """

    days: int
    unit: str
    calendar: str = "recipient"
    first_day_counts: bool = False
    statutory: bool = False
    works_for_days: int | None = None
    login_forbidden: bool = False
    fee_forbidden: bool = True
    same_channel: bool = False
    email_address_needed: bool = False
    result_notice_days: int | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Label(Section):
    """A mark that must stand first in the subject; `when`: always, or unsolicited (without consent)."""

    value: str
    channels: tuple[str, ...]
    when: str = "always"
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register(Section):
    """A public list to look into before sending.

    `blocks`: `listed` (an entry forbids) or `absent` (no entry forbids: İYS). `applies_to`: bases that it blocks
    (consent, existing_customer, opt_out): an entry that consent overrides leaves `consent` out. `persons` it is for.
    `max_age_days`: how old the newest import may be at the time of sending; 0: the same day.
    `must_check`: False: told on the rules page, and not part of the decision. `hashed`: matched by hash.
    """

    code: str
    name: str
    url: str
    channels: tuple[str, ...]
    must_check: bool
    max_age_days: int
    blocks: str = "listed"
    applies_to: tuple[str, ...] = ("consent", "existing_customer", "opt_out")
    persons: tuple[str, ...] = ("natural", "sole_trader", "legal", "unknown")
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class Hours(Section):
    """When marketing may be sent: `days` of WEEKDAYS between `opens` and `closes` (HH:MM, local, end excluded).

    Sections of one pack add up; a day that none names is closed. They hold for `channels` and `persons`, and, when all
    say `consent_overrides`, not for messages on consent. In a country with several zones they must all be open.
    """

    channels: tuple[str, ...]
    days: tuple[str, ...]
    opens: str
    closes: str
    persons: tuple[str, ...] = ("natural", "sole_trader", "legal", "unknown")
    consent_overrides: bool = False


@dataclass(frozen=True, slots=True)
class DutyRule(Section):
    """One more thing that a permitted message must carry; for these channels, classes and bases."""

    code: str
    value: str | None = None
    channels: tuple[str, ...] = ("email", "sms")
    classes: tuple[str, ...] = ("marketing",)
    bases: tuple[str, ...] = ("consent", "existing_customer", "opt_out")


@dataclass(frozen=True, slots=True)
class Record(Section):
    """What must be kept, and for how long (in words of the source)."""

    what: str
    period: str


@dataclass(frozen=True, slots=True)
class Authority:
    """Where a person complains."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Zones of the jurisdiction (IANA names), weekend days, and public holidays that decisions count."""

    zones: tuple[str, ...]
    weekend: tuple[str, ...] = ("sat", "sun")
    holidays: tuple[date, ...] = ()
    holidays_from: date | None = None
    holidays_until: date | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """One version of one rule pack, whole: what it `inherits` from is filled in.

    `hash` is the lower-case hex SHA-256 of the file's own bytes; `parent` names the pack it inherits from
    (`EU@1`), whose own hash is adopted apart. `countries`: ISO 3166-1 codes it is for (empty: the fallback).
    `status`: `published`, or `draft`: then the exception is off whatever it says. In force from `valid_from` until the
    day before `valid_until`. `outside`: what it leaves out, told on the rules page. `penalty`: in words.
    """

    id: str
    version: str
    title: str
    status: str
    confidence: str
    reviewed_on: date
    valid_from: date
    countries: tuple[str, ...]
    citations: Mapping[str, Citation]
    objection: Section
    service: Section
    regime: Mapping[str, Regime]
    exception: Exemption
    consent: Consent
    identity: Identity
    unsubscribe: Unsubscribe
    calendar: Calendar
    hash: str
    valid_until: date | None = None
    parent: str | None = None
    labels: tuple[Label, ...] = ()
    registers: tuple[Register, ...] = ()
    hours: tuple[Hours, ...] = ()
    duties: tuple[DutyRule, ...] = ()
    records: tuple[Record, ...] = ()
    complaints: tuple[Authority, ...] = ()
    penalty: str = ""
    outside: str = ""

    @property
    def name(self) -> str:
        """The pack as reasons, entries and bundles name it, `<id>@<version>`."""
        return f"{self.id}@{self.version}"
