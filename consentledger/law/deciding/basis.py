"""What a message may rest on: consent, else the existing-customer exception, else an opt-out regime."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from consentledger.law.deciding import exception, registers
from consentledger.law.deciding.place import Place
from consentledger.law.model import CURRENT, OLD, Customer, Facts, Reason

# The reason's code for each state of consent that is none.
STATES = {
    "none": "no_basis",
    "requested": "not_confirmed",
    "declined": "declined",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "paused": "paused",
    "lapsed": "lapsed",
}
# In these states the person said no to this very purpose, so nothing else carries it either.
REFUSED = ("declined", "withdrawn", "paused")
_DOUBLE = ("required", "regulator_minimum_measure", "de_facto_required")
# Regimes that let a message go without consent, and the capacities for which they do (None: any).
OPT_OUT: dict[str, tuple[str, ...] | None] = {
    "opt_out": None,
    "opt_out_register": None,
    "opt_out_role_relevant": ("role_relevant", "impersonal"),
    "opt_out_impersonal": ("impersonal",),
}


class Try(NamedTuple):
    """What one basis comes to: it carries when `against` and `review` (a person must look first) name no reason."""

    basis: str
    rule: str
    against: list[Reason]
    review: list[Reason]
    until: datetime | None = None


def tries(place: Place, facts: Facts, person: str, *, consent_only: bool) -> list[Try]:
    """Returns the bases that were tried, in order, up to the first that carries."""
    found = [_consent(place, facts, person)]
    if found[0].against or found[0].review:
        if facts.customer is not None and not consent_only:
            found.append(_exception(place, facts, facts.customer, person))
        if not consent_only and (found[-1].against or found[-1].review):
            opt_out = _opt_out(place, facts, person)
            found += [] if opt_out is None else [opt_out]
    return found


def _consent(place: Place, facts: Facts, person: str) -> Try:
    if facts.consent != "confirmed":
        rule = f"regime.{place.channel}" if facts.consent == "none" else "consent"
        return Try("consent", rule, [place.reason(STATES[facts.consent], rule)], [])
    against, review = _grade(place, facts)
    expiry, dormant = place.consent_expiry, place.dormancy_review
    if expiry is not None and not expiry.carries(facts.consented_on):
        against.append(place.reason("consent_expired", "consent"))
    if _ended_by_contract(place, facts):
        against.append(place.reason("relationship_ended", "consent"))
    if dormant is not None and not any(map(dormant.carries, place.uses(facts))):
        review.append(place.reason("dormant", "consent"))
    against += registers.against(place, facts, person, "consent")
    return Try("consent", "consent", against, review, _consent_until(place, facts, person))


def _grade(place: Place, facts: Facts) -> tuple[list[Reason], list[Reason]]:
    level = place.pack.consent.double_opt_in
    if "double_opt_in=required" in place.adopted.stricter:
        level = "required"
    if facts.grade == "none":  # a consent of which nobody says how it came proves nothing
        return [place.reason("fact_unclear", "consent")], []
    if level not in _DOUBLE or facts.grade == "double_opt_in":
        return [], []
    missing = [place.reason("double_opt_in_missing", "consent")]
    # Whoever only attests may hold a confirmation from elsewhere: where no statute asks for it, a person must look.
    attested = facts.grade == "attested" and level != "required"
    return ([], missing) if attested else (missing, [])


def _ended_by_contract(place: Place, facts: Facts) -> bool:
    """Tells whether the end of an ongoing contract took an older consent with it (Israel)."""
    customer = facts.customer
    if not place.pack.consent.ends_with_relationship or customer is None:
        return False
    if not exception.has_ended(place, customer):
        return False
    days = (facts.consented_on, customer.ended_on)
    if None in days or CURRENT in days or OLD in days:  # which came first is not known
        return True
    return (facts.consented_on or "") <= (customer.ended_on or "")


def _consent_until(place: Place, facts: Facts, person: str) -> datetime | None:
    ends = [registers.until(place, person, "consent")]
    if place.consent_expiry is not None:
        ends.append(place.consent_expiry.until(facts.consented_on))
    if place.dormancy_review is not None:
        used = [day for day in place.uses(facts) if place.dormancy_review.carries(day)]
        last = [place.dormancy_review.until(day) for day in used]
        ends.append(None if None in last else max((end for end in last if end), default=None))
    if place.pack.consent.ends_with_relationship and facts.customer is not None:
        ends.append(place.coming.get(facts.customer.ended_on or ""))
    return min((end for end in ends if end is not None), default=None)


def _exception(place: Place, facts: Facts, customer: Customer, person: str) -> Try:
    against = exception.against(place, facts, customer, person)
    if facts.consent in REFUSED and not facts.closed:
        against.append(place.reason("exception_closed", "objection"))
    against += registers.against(place, facts, person, "existing_customer")
    ends = (
        exception.until(place, customer),
        registers.until(place, person, "existing_customer"),
    )
    until = min((end for end in ends if end is not None), default=None)
    return Try("existing_customer", "exception", against, [], until)


def _opt_out(place: Place, facts: Facts, person: str) -> Try | None:
    """Returns what the opt-out regime comes to, None where the law has none for this kind of person."""
    word = place.regime(person)
    if word not in OPT_OUT:
        return None
    rule = f"regime.{place.channel}"
    capacities, against = OPT_OUT[word], []
    if place.pack.status != "published" or "opt_out=off" in place.adopted.stricter:
        against.append(place.reason("opt_out_off", rule))
    if word == "opt_out_role_relevant" and person != "legal":
        capacities = ("role_relevant",)  # a person's own info@ tells nothing of a role
    if capacities is not None and facts.capacity not in capacities:
        against.append(place.reason("capacity_not_covered", rule))
    if facts.closed or facts.consent in REFUSED:
        against.append(place.reason("opt_out_closed", "objection"))
    if facts.customer is not None and "refused" in facts.customer.flags:
        against.append(place.reason("refused_at_collection", "objection"))
    against += registers.against(place, facts, person, "opt_out")
    return Try("opt_out", rule, against, [], registers.until(place, person, "opt_out"))
