"""A shown permit decided again: from the facts in its line, each held against what the entries below its batch give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from consentledger.kernel.errors import VerificationError
from consentledger.law.deciding.decider import Decider
from consentledger.law.grounds import Ground, turning
from consentledger.law.model import Customer, Facts, Message, Verdict
from consentledger.law.products import CategoryTree, relation
from consentledger.ledger.permit import Permit
from consentledger.verify import asserted
from consentledger.verify.entries import Entry
from consentledger.verify.imports import Looked, looked_into
from consentledger.verify.registers import Listed
from consentledger.verify.rulebook import PACK_RULE, Rules
from consentledger.verify.sends import Reports
from consentledger.verify.states import Standing
from consentledger.verify.story import Story, standing_below
from consentledger.verify.times import instant

DECISION = "permit.decision"
RULE = "permit"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a bundle shows beside entries: whom imports of registers list, and which messages were reported sent."""

    listed: Listed
    reports: Reports


@dataclass(frozen=True, slots=True)
class Case:
    """One batch as the bundle shows it: its entry, the rules and the tree below it, the registers it looked into."""

    entry: Entry
    rules: Rules
    tree: CategoryTree | None
    looked: Looked
    message: Message
    decider: Decider

    @property
    def key(self) -> tuple[str, str, str]:
        """The consent that the message needs."""
        return self.entry.need("sender"), self.entry.need("purpose"), self.entry.need("channel")

    @property
    def at(self) -> str:
        """When the batch was decided."""
        return self.entry.need("at")


def open_case(entry: Entry, rules: Rules, entries: Sequence[Entry]) -> Case:
    """Returns a batch of version 2, after holding what its entry says of rules and registers against the log."""
    rulebook = rules.rulebook_below(entry.index)
    tree = rules.tree_below(entry.index)
    if entry.values.get("categories_version") != (tree.version if tree else None):
        raise entry.wrong("it compared products by other categories than the newest", DECISION)
    looked = looked_into(entry, rulebook, entries)
    hashes = {one.pack.name: one.pack.hash for one in rulebook.adopted}
    for text in entry.texts("packs"):
        name, _, digest = text.partition(" ")
        if hashes.get(name) != digest:
            raise entry.wrong(f"the rule pack {name} was not adopted below it", PACK_RULE)
    message = Message(
        entry.need("class"),
        entry.need("channel"),
        instant(entry.need("send_at")),
        tuple(entry.texts("contains")),
        looked.registers,
        entry.text("tracking") is not None,
    )
    decider = Decider(message, rulebook, instant(entry.need("at")))
    return Case(entry, rules, tree, looked, message, decider)


def decide_again(
    permit: Permit,
    case: Case,
    stories: Mapping[str, Story],
    shown: Shown,
) -> tuple[str, ...]:
    """Decides again; returns which facts are only asserted (words of verify.asserted)."""
    told = told_facts(permit)
    if permit.contact is None:
        kinds: tuple[str, ...] = (asserted.STRANGERS,)
        again = case.decider.verdict(told)
    else:
        story = stories.get(permit.contact)
        if story is None:
            raise _wrong("the permit's contact has no entry in the bundle")
        if story.whole:
            standing = standing_below(story, case.entry.index)
            sent_on = shown.reports.last_sent(permit.contact, case.key[2], case.entry.index)
            told = told if sent_on is None else told._replace(sent_on=sent_on)
            renewed_on = _renewed_on(permit.contact, told, case, shown)
            again = _from_entries(permit, told, case, standing, renewed_on)
            kinds = _only_asserted(permit, case, standing, shown)
        else:
            again, kinds = case.decider.verdict(told), (asserted.ERASED,)
    _check_verdict(permit, again[1], case)
    return kinds


def told_facts(permit: Permit) -> Facts:
    """Returns the facts as a line tells them; VerificationError for a ground that is none."""
    try:
        customer = Customer.parse(permit.customer) if permit.customer is not None else None
    except ValueError as error:
        raise VerificationError("a permit's ground is malformed", rule=RULE) from error
    return Facts(
        recipient=permit.recipient,
        countries=_list(permit.countries),
        person=permit.person,
        capacity=permit.capacity,
        consent=permit.consent,
        grade=permit.grade,
        consented_on=permit.consented_on,
        sent_on=permit.sent_on,
        objection=permit.objection,
        closed=permit.closed,
        customer=customer,
        listed=_list(permit.listed),
        tracking=permit.tracking,
    )


def _from_entries(
    permit: Permit, told: Facts, case: Case, standing: Standing, renewed_on: str | None
) -> tuple[Facts, Verdict]:
    """Finds facts and verdict from the entries alone, but for what is asserted; the line must tell the same."""
    state = standing.state(case.key, case.at)
    given = standing.consents.get(case.key)
    opened = [act.at for act in given.history if act.index == given.opened] if given else []
    tracking = case.entry.text("tracking")
    facts = told._replace(
        consent=state,
        grade="double_opt_in" if state == "confirmed" else "none",
        consented_on=opened[-1][:10] if state == "confirmed" and opened else None,
        objection="active" if standing.objected(case.key, case.at) else "none",
        closed=standing.closed(case.message.channel),
        customer=None,
        tracking=_tracking(case, standing, tracking) if tracking else "none",
    )
    grounds = standing.grounds(case.message.channel)
    without = case.decider.verdict(facts)
    ground = turning(grounds, without[1], lambda one: _with(case, facts, one, renewed_on)[1])
    canonical, verdict = without if ground is None else _with(case, facts, ground, renewed_on)
    line = told_facts(permit)
    for name, ours, theirs in zip(Facts._fields, line, canonical, strict=True):
        if ours != theirs:
            raise _wrong(
                f"the permit says {name} {_said(ours)}; the entries before it say {_said(theirs)}"
            )
    if permit.entry != (ground.n if ground else None):
        raise _wrong("the permit names another entry as its ground than the one it turned on")
    return canonical, verdict


def _tracking(case: Case, standing: Standing, purpose: str) -> str:
    sender, _, channel = case.key
    return standing.state((sender, purpose, channel), case.at)


def _renewed_on(contact: str, told: Facts, case: Case, shown: Shown) -> str | None:
    """Returns the day that an exception's own clock runs from, as reports show it; as the line tells it without any."""
    renewed = shown.reports.last_renewed(contact, case.key[2], case.entry.index)
    if renewed is not None:
        return renewed[0]
    return told.customer.renewed_on if told.customer else None


def _with(
    case: Case, facts: Facts, ground: Ground, renewed_on: str | None
) -> tuple[Facts, Verdict]:
    near = relation(case.entry.texts("categories"), ground.categories, case.tree)
    customer = Customer(ground.trigger, ground.on, ground.ended_on, renewed_on, near, ground.flags)
    return case.decider.verdict(facts._replace(customer=customer))


def _only_asserted(
    permit: Permit,
    case: Case,
    standing: Standing,
    shown: Shown,
) -> tuple[str, ...]:
    """Holds what grounds and registers say against the line; returns what nothing in the bundle shows."""
    grounds = tuple(standing.customers.records.values())
    kinds = []
    countries = {one.country for one in grounds if one.country}
    if not countries <= set(_list(permit.countries)):
        raise _wrong("the permit leaves out a country that a ground of the contact names")
    if set(_list(permit.countries)) - countries:
        kinds.append(asserted.COUNTRY)
    for kind, told, recorded in (
        (asserted.PERSON, permit.person, {one.person for one in grounds}),
        (asserted.CAPACITY, permit.capacity, {one.capacity for one in grounds}),
    ):
        words = recorded - {UNKNOWN, ""}
        if told != UNKNOWN and words - {told}:
            raise _wrong(f"the permit says {told}; the grounds of the contact say otherwise")
        if (told != UNKNOWN and not words) or (told == UNKNOWN and len(words) == 1):
            kinds.append(kind)  # unknown against one word: another one was given with the question
    sent_on = shown.reports.last_sent(permit.contact or "", case.key[2], case.entry.index)
    if permit.sent_on is not None and sent_on is None:
        kinds.append(asserted.LAST_MESSAGE)
    customer = told_facts(permit).customer
    if customer is not None and customer.renewed_on is not None:
        renewed = shown.reports.last_renewed(permit.contact or "", case.key[2], case.entry.index)
        if renewed is None or not renewed[1]:
            kinds.append(asserted.RENEWAL)
    return (*kinds, *_registers(permit, case.looked, shown.listed))


def _registers(permit: Permit, looked: Looked, listed: Listed) -> tuple[str, ...]:
    kinds = []
    told = _list(permit.listed)
    if set(told) - set(looked.indexes):
        raise _wrong("the permit names a register that its batch did not look into")
    for code, index in looked.indexes.items():
        shown = listed.get((index, permit.contact or ""))
        if shown is None:
            kinds.append(asserted.LISTED)
        elif shown != (code in told):
            raise _wrong(f"the permit is wrong on whether the register {code} lists the address")
    return tuple(kinds)


def _check_verdict(permit: Permit, again: Verdict, case: Case) -> None:
    said = (permit.verdict, permit.basis, permit.reasons, permit.packs)
    found = (again.verdict, again.basis, again.codes, ",".join(again.packs))
    if said != found:
        raise _wrong(
            f"the permit says {permit.verdict} ({permit.reasons}) by {permit.packs or 'no pack'}, the rules say"
            f" {again.verdict} ({again.codes}) by {found[3] or 'no pack'}"
        )
    if not set(again.packs) <= {text.partition(" ")[0] for text in case.entry.texts("packs")}:
        raise VerificationError("the batch does not name the packs that decided", rule=PACK_RULE)
    end = case.entry.need("valid_until")
    if permit.allowed and again.until is not None:
        end = min(end, _text(again.until))
    if permit.valid_until != (end if permit.allowed else None):
        raise VerificationError(
            "the permit ends at another time than its batch and its rules", rule=RULE
        )


def _text(at: datetime) -> str:
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _said(value: object) -> str:
    if isinstance(value, Customer):
        return value.text()
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return "none" if value is None else str(value)


def _wrong(message: str) -> VerificationError:
    return VerificationError(message, rule=DECISION)
