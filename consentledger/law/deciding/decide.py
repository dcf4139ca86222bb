"""The decision: pure, total and deterministic. Same facts, message, rulebook and clock: same verdict, for everyone.

The order is that of docs/law.md: class of message, objection, jurisdiction, registers, basis, form, duties. All packs
of all places where the recipient may be, and all kinds of person that it may be, must allow; every rule against is
named. What is unknown is read in the strictest way (promise 9).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from consentledger.law.deciding import clear, form
from consentledger.law.deciding.calendar import HORIZON_DAYS
from consentledger.law.deciding.duties import told
from consentledger.law.deciding.judging import Finding, judge
from consentledger.law.deciding.place import Place
from consentledger.law.model import PERSONS, Duty, Facts, Message, Reason, Verdict
from consentledger.law.rulebook import Adopted, Rulebook

_NO_PACK = Reason(
    "no_pack",
    "rulebook#fallback",
    "no rule pack that is in force was adopted for a country where the recipient may be, and no fallback",
)
_UNCLEAR = Reason(
    "fact_unclear", "rulebook#message", "class and channel of a message must be known words"
)
# How a permit's recipient that is no record is denied.
_NOT_RECORDED = {
    "stranger": "no_basis",
    "invalid": "invalid_address",
    "duplicate": "duplicate",
}
# The weakest basis that any place rests on is the message's: a stop then objects to all that rests on the like.
_WEAKEST = ("opt_out", "existing_customer", "consent")


def decide(facts: Facts, message: Message, rulebook: Rulebook, now: datetime) -> Verdict:
    """Returns whether a message may go to one recipient at `message.send_at`, or at `now` if that is later.

    Never raises for any words in the facts: what is no known word denies as `fact_unclear`.
    """
    return Judge(message, rulebook, now).decide(facts)


class Judge:
    """decide() for many recipients of one message: what does not depend on the recipient is worked out once."""

    def __init__(self, message: Message, rulebook: Rulebook, now: datetime) -> None:
        self.message, self._rulebook = message, rulebook
        self.at = max(message.send_at, now).astimezone(UTC)
        self._clear = clear.message(message)
        self._by_name: dict[str, Place] = {}
        self._by_countries: dict[tuple[str, ...], tuple[tuple[Place, ...], datetime | None]] = {}

    def decide(self, facts: Facts) -> Verdict:
        """Returns the verdict on one recipient."""
        if not self._clear:
            return Verdict("deny", None, (_UNCLEAR,))
        places, change = self.places(facts.countries)
        if not places:
            return Verdict("deny", None, (_NO_PACK,))
        packs = tuple(place.pack.name for place in places)
        against = _before_basis(places, facts, self.at)
        if against is not None:
            return Verdict("deny", None, tuple(dict.fromkeys(against)), packs=packs)
        if clear.is_service(self.message):
            return _service(places, packs)
        stopped = facts.objection == "active"
        objections = [place.reason("objected", "objection") for place in places if stopped]
        persons = PERSONS[:3] if facts.person == "unknown" else (facts.person,)
        found = [judge(place, facts, person) for place in places for person in persons]
        return _combined(found, objections, packs, change, facts)

    def places(self, countries: tuple[str, ...]) -> tuple[tuple[Place, ...], datetime | None]:
        """Returns the packs that judge at these countries, and when others will."""
        found = self._by_countries.get(countries)
        if found is None:
            today = self.at.date()
            adopted = self._rulebook.candidates(countries, today)
            places = tuple(self._place(one) for one in adopted)
            found = self._by_countries[countries] = places, self._change(countries, adopted)
        return found

    def _place(self, adopted: Adopted) -> Place:
        found = self._by_name.get(adopted.pack.name)
        if found is None:
            found = self._by_name[adopted.pack.name] = Place(adopted, self.message, self.at)
        return found

    def _change(self, countries: tuple[str, ...], adopted: tuple[Adopted, ...]) -> datetime | None:
        midnight = self.at.replace(hour=0, minute=0, second=0, microsecond=0)
        for ahead in range(1, HORIZON_DAYS + 1):
            day = midnight + timedelta(days=ahead)
            if self._rulebook.candidates(countries, day.date()) != adopted:
                return day
        return None


def _before_basis(places: tuple[Place, ...], facts: Facts, at: datetime) -> list[Reason] | None:
    """Returns why no basis is even looked for, None where one is."""
    if not clear.facts(facts, at):
        return [place.reason("fact_unclear", "consent") for place in places]
    found = []
    if facts.objection == "suppressed":
        found += [place.reason("suppressed", "objection") for place in places]
    if facts.recipient != "record":
        code = _NOT_RECORDED[facts.recipient]
        found += [place.reason(code, f"regime.{place.channel}") for place in places]
    return found or None


def _service(places: tuple[Place, ...], packs: tuple[str, ...]) -> Verdict:
    """A service message to a recorded contact passes marketing stops."""
    reasons = tuple(place.reason("service", "service") for place in places)
    duties = (duty for place in places for duty in told(place, "service"))
    return Verdict("allow", "service", reasons, _once(duties), packs=packs)


def _combined(
    found: list[Finding],
    objections: list[Reason],
    packs: tuple[str, ...],
    change: datetime | None,
    facts: Facts,
) -> Verdict:
    against = [*objections, *(reason for one in found for reason in one.against)]
    labels, conflict = form.label(found)
    milder = [one.instead or one for one in found]
    if conflict and milder != found:
        found = milder
        labels, conflict = form.label(found)
    against += conflict
    if against:
        until = form.reopens(found) if not objections and not conflict else None
        return Verdict("deny", None, tuple(dict.fromkeys(against)), until=until, packs=packs)
    ends = [change, *(one.until for one in found)]
    until = min((end for end in ends if end is not None), default=None)
    review = [reason for one in found for reason in one.review]
    if review:
        return Verdict("review", None, tuple(dict.fromkeys(review)), until=until, packs=packs)
    bases = {one.basis for one in found}
    basis = next(word for word in _WEAKEST if word in bases)
    reasons = tuple(dict.fromkeys(one.place.reason(one.basis, one.rule) for one in found))
    duties = [*labels, *(duty for one in found for duty in form.duties(one, facts))]
    return Verdict("allow", basis, reasons, _once(duties), until, packs)


def _once(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Each duty once (by code and value), by the first rule that asks for it."""
    found: dict[tuple[str, str | None], Duty] = {}
    for duty in duties:
        found.setdefault((duty.code, duty.value), duty)
    return tuple(found.values())
