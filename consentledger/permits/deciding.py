"""Decides the recipients of one batch: each pattern of facts once, numbered as the batch's rows point to it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from consentledger.law.deciding import Decider
from consentledger.law.grounds import Ground, turning
from consentledger.law.model import Customer, Facts, Verdict
from consentledger.law.products import relation
from consentledger.permits.facts import UNKNOWN, Read, Said, StateReader, facts_of
from consentledger.permits.rules import IssuePermits, send_at
from consentledger.permits.rulings import Ruling
from consentledger.permits.sources import Sources


class Rulings:
    """The distinct rulings of one batch, in the order in which they came up."""

    def __init__(self) -> None:
        self.list: list[Ruling] = []
        self._numbers: dict[Ruling, int] = {}

    def number(self, ruling: Ruling) -> int:
        """Returns the number of a ruling; the same one has the same number, however often it was decided."""
        found = self._numbers.get(ruling)
        if found is None:
            found = self._numbers[ruling] = len(self.list)
            self.list.append(ruling)
        return found


class Deciding:
    """Decides by one set of sources at one instant; `Rulings` outlive it when the sources change meanwhile."""

    def __init__(
        self, command: IssuePermits, sources: Sources, now: datetime, rulings: Rulings
    ) -> None:
        self._sources, self._rulings = sources, rulings
        message = sources.message(command, send_at(command, now))
        self._channel, self._decider = command.channel, Decider(message, sources.rulebook, now)
        self.states = StateReader(
            command.sender_id, command.purpose_id, command.channel, now, command.tracking
        )
        self._read = self.states.read
        self._now, self._until = now, _next_change(now, sources, command.valid_for)
        self._known: dict[tuple[Read, Said, date | None, tuple[str, ...]], int] = {}
        self._counted: dict[tuple[str, Said, str], int] = {}

    def holds(self, now: datetime) -> bool:
        """Tells whether all that was decided would be decided the same at a later instant, by the clock alone."""
        pause = self.states.pause_ends_at
        return self._now <= now < (self._until if pause is None else min(self._until, pause))

    def record(
        self, stored: str, said: Said, sent_on: date | None = None, listed: tuple[str, ...] = ()
    ) -> int:
        """Returns the number of the ruling on a contact with this standing (JSON text)."""
        key = (self._read(stored), said, sent_on, listed)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._rulings.number(self.ruling(*key))
        return found

    def counted(self, recipient: str, said: Said, objection: str = "none") -> int:
        """Returns the number of the ruling on a recipient who is none on record, and so is only counted."""
        key = (recipient, said, objection)
        found = self._counted.get(key)
        if found is None:
            country, person, capacity = said
            facts = Facts(
                recipient=recipient,
                countries=(country,) if country else (),
                person=person or UNKNOWN,
                capacity=capacity or UNKNOWN,
                objection=objection,
            )
            found = self._counted[key] = self.again(facts)
        return found

    def again(self, facts: Facts) -> int:
        """Returns the number of the ruling on these very facts, for a recipient who is none on record."""
        canonical, verdict = self._decider.verdict(facts)
        return self._rulings.number(Ruling(canonical, None, verdict))

    def ruling(
        self,
        found: Read,
        said: Said,
        sent_on: date | None,
        listed: tuple[str, ...],
        also: tuple[str, ...] = (),
    ) -> Ruling:
        """Decides one pattern of a contact's facts; a ground is only told where the decision turned on it."""
        facts = facts_of(found, said, sent_on, listed, also)
        grounds = [one for one in found.grounds if one.channel == self._channel]
        without = self._decider.verdict(facts)
        ground = turning(grounds, without[1], lambda one: self._with(facts, one)[1])
        canonical, verdict = without if ground is None else self._with(facts, ground)
        return Ruling(canonical, ground.n if ground else None, verdict)

    def _with(self, facts: Facts, ground: Ground) -> tuple[Facts, Verdict]:
        near = relation(self._sources.categories, ground.categories, self._sources.tree)
        customer = Customer(ground.trigger, ground.on, ground.ended_on, near, ground.flags)
        return self._decider.verdict(facts._replace(customer=customer))


def _next_change(now: datetime, sources: Sources, valid_for: timedelta) -> datetime:
    """Returns an instant before which the clock changes no verdict of a batch that is decided now.

    Hours open and close, and days begin, on whole minutes in every zone; an import grows too old whole days after
    what it shows. And a batch that waited for long in a queue is decided anew.
    """
    ends = [now.replace(second=0, microsecond=0) + timedelta(minutes=1), now + valid_for / 2]
    for age in sources.ages.values():
        days = max(0, (now - age.as_of) // timedelta(days=1))
        ends.append(age.as_of + timedelta(days=days + 1))
    return min(ends)
