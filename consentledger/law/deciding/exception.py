"""The existing-customer exception (Directive 2002/58/EC art. 13(2) and its kin): every condition, one by one."""

from __future__ import annotations

from datetime import datetime

from consentledger.law.deciding.place import Age, Place
from consentledger.law.model import CURRENT, OLD, Customer, Facts, Reason
from consentledger.law.pack import Exemption

_NEAR = {"similar": ("same_kind", "similar"), "same_kind": ("same_kind",)}


def against(place: Place, facts: Facts, customer: Customer, person: str) -> list[Reason]:
    """Returns each condition that the ground on record does not meet; none: the exception carries."""
    law = place.pack.exception
    if not _available(place, customer, person):
        return [place.reason("exception_off", "exception"), *_refusals(place, facts, customer)]
    codes = []
    if customer.trigger not in law.triggers:
        codes.append("trigger_not_covered")
    elif customer.trigger in law.risk_triggers and customer.trigger not in place.adopted.accepts:
        codes.append("risk_not_accepted")
    if customer.trigger in law.disclosed:
        if law.disclosed_role_relevant and facts.capacity != "role_relevant":
            codes.append("capacity_not_covered")
    else:
        codes += _of_a_sale(law, customer)
    reasons = [place.reason(code, "exception") for code in codes]
    return [*_refusals(place, facts, customer), *reasons, *_ages(place, customer)]


def until(place: Place, customer: Customer) -> datetime | None:
    """Returns when an exception that carries ends by age or by the relationship's end, None beyond the horizon."""
    ends = [limit.until(customer.on) for limit in place.floors(customer.trigger)]
    for period, limit in place.periods:
        if customer.trigger in period.triggers:
            day = customer.on if period.starts == "event" else customer.ended_on
            if period.starts == "event" or has_ended(place, customer):
                renewed = customer.renewed_on if period.renewed_by_message else None
                ends.append(_until(limit, day, renewed))
    if place.pack.exception.ends_with_relationship and customer.ended_on in place.coming:
        ends.append(place.coming[customer.ended_on])
    return min((end for end in ends if end is not None), default=None)


def has_ended(place: Place, customer: Customer) -> bool:
    """Tells whether an ongoing relationship is over on the day of sending, its last day included."""
    ended = customer.ended_on
    return ended is not None and (ended in (CURRENT, OLD) or ended <= place.today)


def _until(limit: Age, day: str | None, renewed: str | None) -> datetime | None:
    """Returns when the last of two days that may carry no longer does."""
    ends = [limit.until(one) for one in (day, renewed) if limit.carries(one)]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _available(place: Place, customer: Customer, person: str) -> bool:
    law, stricter = place.pack.exception, place.adopted.stricter
    persons = law.disclosed_persons if customer.trigger in law.disclosed else law.persons
    return (
        law.available
        and place.pack.status == "published"
        and place.channel in law.channels
        and person in persons
        and "exception=off" not in stricter
        and f"exception.{place.channel}=off" not in stricter
    )


def _refusals(place: Place, facts: Facts, customer: Customer) -> list[Reason]:
    found = [place.reason("exception_closed", "objection")] if facts.closed else []
    if "refused" in customer.flags:
        found.append(place.reason("refused_at_collection", "exception"))
    return found


def _of_a_sale(law: Exemption, customer: Customer) -> list[str]:
    flags = customer.flags
    failed = {
        "other_seller": law.same_legal_person and "same_person" not in flags,
        "not_collected_directly": law.collected_directly and "directly" not in flags,
        "no_opt_out_offered": law.opt_out_at_collection and "offered" not in flags,
        "not_told": law.told_use_for_advertising and "told" not in flags,
        "products_not_similar": customer.relation
        not in _NEAR.get(law.products, (customer.relation,)),
    }
    return [code for code, fails in failed.items() if fails]


def _ages(place: Place, customer: Customer) -> list[Reason]:
    found = [
        place.reason("too_old", limit.rule)
        for limit in place.floors(customer.trigger)
        if not limit.carries(customer.on)
    ]
    ended = has_ended(place, customer)
    if ended and place.pack.exception.ends_with_relationship:
        found.append(place.reason("relationship_ended", "exception"))
    for period, limit in place.periods:
        if customer.trigger not in period.triggers:
            continue
        if period.starts == "end" and not ended:
            continue  # it does not run yet
        day = customer.on if period.starts == "event" else customer.ended_on
        renewed = period.renewed_by_message and limit.carries(customer.renewed_on)
        if not (limit.carries(day) or renewed):
            found.append(place.reason("too_old", limit.rule))
    return found
