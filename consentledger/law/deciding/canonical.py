"""Facts with each date as one word for all dates that give the same answer, so that many recipients share a pattern.

A date that every rule in play calls recent, and will beyond the horizon, is `current`; one that every rule calls too
old is `old`; only dates between stay exact. decide() gives the same verdict for both: that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from consentledger.law.deciding import clear
from consentledger.law.deciding.decide import Judge
from consentledger.law.deciding.place import Age, Place, is_day
from consentledger.law.model import CURRENT, OLD, Customer, Facts, Message
from consentledger.law.rulebook import Rulebook


def canonical(facts: Facts, message: Message, rulebook: Rulebook, now: datetime) -> Facts:
    """Returns the facts with their dates as words, for this message, rulebook and clock."""
    return Canon(Judge(message, rulebook, now)).facts(facts)


class Canon:
    """canonical() for many recipients of one message: each date is looked at once per set of countries."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._limit = clear.last_day(judge.at)
        self._by_countries: dict[tuple[str, ...], _Days] = {}

    def facts(self, facts: Facts) -> Facts:
        """Returns one recipient's facts with their dates as words."""
        _, countries, _, _, _, _, consented, sent, _, _, customer, _, _ = facts
        if consented is None and sent is None and customer is None:
            return facts
        days = self._by_countries.get(countries)
        if days is None:
            places = self._judge.places(countries)[0]
            days = self._by_countries[countries] = _Days(places, self._limit)
        if customer is not None and customer.ended_on is not None and days.ordered:
            return facts  # which of two days came first decides, so both stay
        consented = days.consented.get(consented) or days.word("consented", consented)
        sent = days.sent.get(sent) or days.word("sent", sent)
        if customer is not None:
            customer = days.customer(customer)
        return facts._replace(consented_on=consented, sent_on=sent, customer=customer)


_Words = dict[str, str]


class _Days:
    """The words of dates for recipients of one set of countries."""

    def __init__(self, places: Sequence[Place], limit: str) -> None:
        self._places, self._limit = places, limit
        self.ordered = any(place.pack.consent.ends_with_relationship for place in places)
        self.consented: dict[str | None, str] = {}
        self.sent: dict[str | None, str] = {}
        self._earliest_today = min((place.today for place in places), default="")
        # By trigger: the words of the days on which something happened, ended, and was renewed.
        self._of_trigger: dict[str, tuple[_Words, _Words, dict[str, str | None]]] = {}
        self._ages = {
            "consented": [age for place in places for age in _of_consent(place)],
            "sent": [age for place in places for age in _of_sending(place)],
        }

    def word(self, what: str, day: str | None) -> str | None:
        """Returns the word for the day of consent or of sending, and keeps it."""
        if day is None:
            return None
        word = self._word(self._ages[what], day)
        (self.consented if what == "consented" else self.sent)[day] = word
        return word

    def customer(self, told: Customer) -> Customer:
        """Returns a ground with its days as words."""
        known = self._of_trigger.get(told.trigger)
        if known is None:
            known = self._of_trigger[told.trigger] = {}, {}, {}
        on, ended = known[0].get(told.on), told.ended_on
        if on is None:
            since = [age for place in self._places for age in _of_event(place, told.trigger)]
            on = known[0][told.on] = self._word(since, told.on)
        if ended is not None and ended <= self._earliest_today:
            word = known[1].get(ended)
            if word is None:
                after = [age for place in self._places for age in _of_end(place, told.trigger)]
                word = known[1][ended] = self._word(after, ended)
            ended = word
        renewed = told.renewed_on
        if renewed is not None:
            if renewed not in known[2]:
                known[2][renewed] = self._renewed(told.trigger, renewed)
            renewed = known[2][renewed]
        return Customer(told.trigger, on, ended, renewed, told.relation, told.flags)

    def _renewed(self, trigger: str, day: str) -> str | None:
        """Returns the word for the day of a renewal: none at all where no rule counts from it."""
        ages = [age for place in self._places for age in _of_renewal(place, trigger)]
        word = self._word(ages, day)
        return None if not ages and word in (CURRENT, OLD) else word

    def _word(self, ages: Sequence[Age], day: str) -> str:
        if day in (CURRENT, OLD) or not is_day(day) or day > self._limit:
            return day
        words = {age.word(day) for age in ages}
        if not words:
            return CURRENT
        return words.pop() if len(words) == 1 else day


def _of_consent(place: Place) -> list[Age]:
    limits = (place.consent_expiry, place.dormancy_review, place.dormancy_warning)
    return [age for age in limits if age is not None]


def _of_sending(place: Place) -> list[Age]:
    limits = (place.dormancy_review, place.dormancy_warning)
    return [age for age in limits if age is not None]


def _of_renewal(place: Place, trigger: str) -> list[Age]:
    return [
        age
        for period, age in place.periods
        if trigger in period.triggers and period.renewed_by_message
    ]


def _of_event(place: Place, trigger: str) -> list[Age]:
    counted = [
        age
        for period, age in place.periods
        if trigger in period.triggers and period.starts == "event"
    ]
    return [*place.floors(trigger), *counted]


def _of_end(place: Place, trigger: str) -> list[Age]:
    return [
        age
        for period, age in place.periods
        if trigger in period.triggers and period.starts == "end"
    ]
