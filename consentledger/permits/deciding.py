"""Decides the recipients of one batch: each pattern of facts once, numbered as the batch's rows point to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from consentledger.law.deciding.decider import Decider
from consentledger.law.grounds import Ground, turning
from consentledger.law.model import Customer, Facts, Verdict
from consentledger.law.products import relation
from consentledger.permits.facts import NEVER, UNKNOWN, Days, Read, Said, StateReader, facts_of
from consentledger.permits.rules import IssuePermits, send_at
from consentledger.permits.rulings import Ruling
from consentledger.permits.sources import Sources

_Pattern = tuple[Read, Said, Days, tuple[str, ...]]
# Patterns that a run remembers; beyond that it begins anew, so that memory stays flat.
MOST = 20_000


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
    """Decides by one set of sources at one instant; `Rulings` outlive it when the sources change meanwhile.

    `before` is what decided the batch before of the same message: while the clock and the sources change nothing,
    its verdicts are this batch's too, and a pattern of facts is decided once for both.
    """

    def __init__(
        self,
        command: IssuePermits,
        sources: Sources,
        now: datetime,
        rulings: Rulings,
        before: Deciding | None = None,
    ) -> None:
        self._asked = replace(command, recipients=(), countries=(), persons=(), capacities=())
        self._sources, self._rulings, self._channel = sources, rulings, command.channel
        self.states = StateReader(
            command.sender_id, command.purpose_id, command.channel, now, command.tracking
        )
        self._read, self._now = self.states.read, now
        self._decider: Decider
        self._until: datetime
        self._ruled: dict[_Pattern, Ruling] = {}
        self._same: dict[Ruling, Ruling] = {}
        if before is not None and before._serves(self._asked, sources, now):
            self._decider, self._until = before._decider, before._until
            self._ruled, self._same = before._ruled, before._same
        else:
            message = sources.message(command, send_at(command, now))
            self._decider = Decider(message, sources.rulebook, now)
            self._until = _next_change(now, sources, command.valid_for)
        self._known: dict[_Pattern, int] = {}
        self._numbers: dict[int, tuple[int, Ruling]] = {}
        self._counted: dict[tuple[str, Said, str], int] = {}

    def holds(self, now: datetime) -> bool:
        """Tells whether all that was decided would be decided the same at a later instant, by the clock alone."""
        pause = self.states.pause_ends_at
        return self._now <= now < (self._until if pause is None else min(self._until, pause))

    def _serves(self, asked: IssuePermits, sources: Sources, now: datetime) -> bool:
        # Pauses end in what is read of a standing, and each batch reads for itself.
        return self._now <= now < self._until and (asked, sources) == (self._asked, self._sources)

    def record(
        self, stored: str, said: Said, days: Days = NEVER, listed: tuple[str, ...] = ()
    ) -> int:
        """Returns the number of the ruling on a contact with this standing (JSON text)."""
        key = (self._read(stored), said, days, listed)
        found = self._known.get(key)
        if found is None:
            ruling = self._ruled.get(key) or self._remembered(key)
            # By its identity, since a ruling is long to hash; it is kept here, so that no other one takes its place.
            numbered = self._numbers.get(id(ruling))
            if numbered is None:
                numbered = self._numbers[id(ruling)] = self._rulings.number(ruling), ruling
            found = self._known[key] = numbered[0]
        return found

    def _remembered(self, key: _Pattern) -> Ruling:
        if len(self._ruled) >= MOST:
            self._ruled.clear()
            self._same.clear()
        ruling = self.ruling(*key)
        found = self._ruled[key] = self._same.setdefault(ruling, ruling)
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
        days: Days,
        listed: tuple[str, ...],
        also: tuple[str, ...] = (),
    ) -> Ruling:
        """Decides one pattern of a contact's facts; a ground is only told where the decision turned on it."""
        sent_on, renewed = days
        facts = facts_of(found, said, sent_on, listed, also)
        renewed_on = str(renewed) if renewed else None
        grounds = [one for one in found.grounds if one.channel == self._channel]
        without = self._decider.verdict(facts)
        ground = turning(grounds, without[1], lambda one: self._with(facts, one, renewed_on)[1])
        canonical, verdict = without if ground is None else self._with(facts, ground, renewed_on)
        return Ruling(canonical, ground.n if ground else None, verdict)

    def _with(self, facts: Facts, ground: Ground, renewed_on: str | None) -> tuple[Facts, Verdict]:
        near = relation(self._sources.categories, ground.categories, self._sources.tree)
        customer = Customer(
            ground.trigger, ground.on, ground.ended_on, renewed_on, near, ground.flags
        )
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
