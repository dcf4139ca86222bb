"""The decision: pure, total and deterministic. Same facts, pack and day give the same verdict, for everyone."""

from __future__ import annotations

from datetime import UTC, datetime

from consentledger.law.first.model import Facts, Pack, Reason, Verdict

# The id of the rule that answers for each state of consent; any other word is unclear, and so denied.
_CONSENT_RULES = {
    "none": "no_consent",
    "requested": "unconfirmed",
    "declined": "declined",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "paused": "paused",
    "lapsed": "lapsed",
}
_RECIPIENT_RULES = {
    "stranger": "no_consent",
    "invalid": "invalid_address",
    "duplicate": "duplicate",
}
# Rules that decide() may name: a pack that lacks one is refused when it is loaded.
RULES = frozenset(
    {*_CONSENT_RULES.values(), *_RECIPIENT_RULES.values()}
    | {"consent", "objection", "channel", "class", "unclear", "out_of_force"}
)
COVERED_CLASSES = ("marketing", "tracking")


def decide(facts: Facts, pack: Pack, now: datetime) -> Verdict:
    """Returns whether a message may go, by `pack`, at the instant `now`; never raises for any facts.

    The order is: the pack's force and the class of message; objection and suppression; (jurisdiction and
    registers have their place here); the basis, which is consent alone (Directive 2002/58/EC art. 13(1), GDPR
    arts 4(11) and 7); (form duties have theirs here). Every rule that stands against the message is named. What
    is unknown is read in the strictest way (product.md, promise 9): only facts that all speak for it allow.
    """
    against = [*_frame(facts, pack, now), *_objection(facts), *_basis(facts, pack)]
    if against:
        return Verdict(False, None, tuple(_reason(pack, rule) for rule in against), ())
    duties = tuple(duty.code for duty in pack.duties)
    return Verdict(True, "consent", (_reason(pack, "consent"),), duties)


def _frame(facts: Facts, pack: Pack, now: datetime) -> list[str]:
    day = now.astimezone(UTC).date()
    over = pack.valid_until is not None and day >= pack.valid_until
    against = ["out_of_force"] if day < pack.valid_from or over else []
    if facts.message_class not in COVERED_CLASSES:
        against.append("class")
    return against


def _objection(facts: Facts) -> list[str]:
    # Stop beats everything: it is named first among the facts of the person, whatever consent says.
    if facts.objection == "active":
        return ["objection"]
    return [] if facts.objection == "none" else ["unclear"]


def _basis(facts: Facts, pack: Pack) -> list[str]:
    if facts.recipient != "record":
        return [_RECIPIENT_RULES.get(facts.recipient, "unclear")]
    against = [] if pack.channels.get(facts.channel) == "opt_in" else ["channel"]
    if facts.consent != "confirmed":
        against.append(_CONSENT_RULES.get(facts.consent, "unclear"))
    return against


def _reason(pack: Pack, rule_id: str) -> Reason:
    rule = pack.rules[rule_id]
    return Reason(rule.code, f"{pack.name}#{rule.id}", rule.source)
