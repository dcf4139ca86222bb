"""What makes sense in a pack across its keys: what no author can mean, and what one ought to look at again."""

from __future__ import annotations

from collections.abc import Iterator

from consentledger.law.deciding.basis import OPT_OUT
from consentledger.law.model import CHANNELS
from consentledger.law.pack import Exemption, Pack
from consentledger.law.reading.loading import sections

Slip = tuple[str, str]


def slips(pack: Pack) -> Iterator[Slip]:
    """Yields the key and the reason of everything in a pack that contradicts itself."""
    if pack.confidence == "low" and pack.status != "draft":
        yield "status", "what is known with low confidence is a draft"
    if not pack.countries and pack.id != "XX":
        yield "countries", "only the fallback is for no country"
    for where, section in sections(pack):
        if not section.citations:
            yield f"{where}.citations", "every section says where it comes from"
    yield from _exception(pack.exception)
    yield from _consent(pack)
    yield from _registers(pack)
    yield from _hours(pack)


def warnings(pack: Pack) -> Iterator[str]:
    """Yields what is allowed but ought to be looked at again."""
    kinds = {
        where: {pack.citations[cited].kind for cited in section.citations}
        for where, section in sections(pack)
    }
    unread = [where for where, found in kinds.items() if found == {"memory"}]
    if unread:
        yield f"written down from memory, sources still to be read: {', '.join(unread)}"
    cited = {one for _, section in sections(pack) for one in section.citations}
    for one in pack.citations:
        if one not in cited and pack.parent is None:
            yield f"citations: nothing cites {one!r}"
    law = pack.exception
    if {"natural", "legal"} <= set(law.persons) and "sole_trader" not in law.persons:
        yield "exception.persons: natural and legal persons without sole traders, who are one of them"
    if not pack.complaints:
        yield "complaints: nobody is told where to complain"


def _exception(law: Exemption) -> Iterator[Slip]:
    if not law.available:
        # What an exception that is not there would ask is left out, so that nobody reads it as granted.
        for key in ("channels", "persons", "triggers", "disclosed", "periods"):
            if getattr(law, key):
                yield f"exception.{key}", "an exception that is not available has none"
        return
    for key in ("channels", "triggers"):
        if not getattr(law, key):
            yield f"exception.{key}", "an available exception names some"
    if not law.persons and not law.disclosed_persons:
        yield "exception.persons", "an available exception names some"
    for key in ("risk_triggers", "disclosed", "not_before"):
        for word in getattr(law, key):
            if word not in law.triggers:
                yield f"exception.{key}", f"{word} is none of the exception's triggers"
    for number, period in enumerate(law.periods):
        for word in period.triggers:
            if word not in law.triggers:
                where = f"exception.periods[{number}].triggers"
                yield where, f"{word} is none of the exception's triggers"
        if not period.triggers:
            yield f"exception.periods[{number}].triggers", "a period is for some trigger"
        if period.renewed_by_message and period.starts == "end":
            where = f"exception.periods[{number}].renewed_by_message"
            yield where, "a period that starts with a relationship's end is not renewed by messages"
    if bool(law.disclosed) is not bool(law.disclosed_persons):
        yield "exception.disclosed_persons", "disclosed and disclosed_persons go together"


def _consent(pack: Pack) -> Iterator[Slip]:
    warning, review = pack.consent.dormancy_warning_months, pack.consent.dormancy_review_months
    if warning is not None and review is not None and review < warning:
        yield "consent.dormancy_review_months", "a review comes no sooner than the warning"


def _registers(pack: Pack) -> Iterator[Slip]:
    for number, register in enumerate(pack.registers):
        where = f"registers[{number}]"
        decided = register.must_check or register.code in _asked(pack)
        if decided and not set(register.channels) & set(CHANNELS):
            yield f"{where}.channels", "what must be checked is for a channel that is decided on"
        if register.must_check and not (register.applies_to and register.persons):
            yield f"{where}.applies_to", "what must be checked blocks some basis for some person"
    for channel, regime in pack.regime.items():
        words = (regime.natural, regime.legal, regime.sole_trader)
        for register in pack.registers:
            if register.code == regime.register and channel not in register.channels:
                yield f"regime.{channel}.register", f"{register.code} is not for this channel"
        if regime.register is not None and not set(words) & {*OPT_OUT}:
            yield f"regime.{channel}.register", "no kind of person has a regime that asks for it"


def _asked(pack: Pack) -> set[str | None]:
    return {regime.register for regime in pack.regime.values()}


def _hours(pack: Pack) -> Iterator[Slip]:
    for number, rule in enumerate(pack.hours):
        for key in ("channels", "days", "persons"):
            if not getattr(rule, key):
                yield f"hours[{number}].{key}", "hours name some"
    closed = pack.hours and not any("holiday" in rule.days for rule in pack.hours)
    if closed and pack.calendar.holidays_until is None:
        yield "calendar.holidays_until", "hours that close on holidays need to know the holidays"
