"""One adopted pack at one instant of sending: what it turns on, worked out once for many recipients."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from consentledger.law.deciding.calendar import HORIZON_DAYS, beginning, earliest, local_day
from consentledger.law.deciding.hours import Opening
from consentledger.law.model import CURRENT, OLD, Day, Duty, Facts, Message, Reason
from consentledger.law.pack import Pack, Period, Section
from consentledger.law.reading.loading import sections
from consentledger.law.rulebook import Adopted


class Age(NamedTuple):
    """An age limit at the instant of sending: the first day that still carries, today and on the next days.

    `firsts[k]` is that day (ISO) k days from now; `begins[k]` the instant at which that day begins. `rule` is the
    section that sets the limit. A Day before firsts[0] is too old.
    """

    rule: str
    firsts: tuple[str, ...]
    begins: tuple[datetime, ...]

    def word(self, day: str) -> str:
        """Returns `current` for a date that carries until after the horizon, `old` for one too old, else the date."""
        if day < self.firsts[0]:
            return OLD
        return CURRENT if day >= self.firsts[-1] else day

    def carries(self, day: str | None) -> bool:
        """Tells whether a Day is recent enough; an unknown one is not."""
        if day is None or day == OLD:
            return False
        return day == CURRENT or day >= self.firsts[0]

    def until(self, day: str | None) -> datetime | None:
        """Returns the instant from which a Day that carries does so no longer, None beyond the horizon."""
        if day is None or day in (CURRENT, OLD):
            return None
        for first, begins in zip(self.firsts, self.begins, strict=True):
            if day < first:
                return begins
        return None


class Place:
    """An adopted pack as it judges one message: local day, age limits, and its rules with their sources."""

    def __init__(self, adopted: Adopted, message: Message, at: datetime) -> None:
        self.adopted, self.message, self.at = adopted, message, at
        self.pack: Pack = adopted.pack
        self.channel = message.channel
        self.zones = self.pack.calendar.zones
        self.day = local_day(at, self.zones)
        self.today = self.day.isoformat()
        self._reasons: dict[tuple[str, str], Reason] = {}
        self._duties: dict[tuple[str, str | None, str], Duty] = {}
        self._ages: dict[str, tuple[Age, ...]] = {}
        self.hours: dict[tuple[str, str], Opening] = {}

    @cached_property
    def _sections(self) -> dict[str, Section]:
        return dict(sections(self.pack))

    def rule(self, section: str) -> tuple[str, str]:
        """Returns (rule, source) of a section: how reasons and duties name it."""
        return f"{self.pack.name}#{section}", source(self.pack, self._sections[section])

    def reason(self, code: str, section: str) -> Reason:
        """Returns the reason with this code and the rule that a section is."""
        found = self._reasons.get((code, section))
        if found is None:
            found = self._reasons[code, section] = Reason(code, *self.rule(section))
        return found

    def regime(self, person: str) -> str:
        """Returns the regime of the message's channel for a kind of person, a word of law.pack.REGIMES."""
        rule = self.pack.regime[self.channel]
        if person == "legal":
            return rule.legal
        return (rule.sole_trader if person == "sole_trader" else None) or rule.natural

    def duty(self, code: str, value: str | None, section: str) -> Duty:
        """Returns the duty with this code and value, and the rule that a section is."""
        found = self._duties.get((code, value, section))
        if found is None:
            found = self._duties[code, value, section] = Duty(code, value, *self.rule(section))
        return found

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Today and the days that the verdict looks ahead."""
        return tuple(
            date.fromordinal(min(self.day.toordinal() + ahead, date.max.toordinal()))
            for ahead in range(HORIZON_DAYS + 1)
        )

    @cached_property
    def begins(self) -> tuple[datetime, ...]:
        """When each of `days` begins, where it begins first."""
        return tuple(beginning(day, self.zones) for day in self.days)

    @cached_property
    def coming(self) -> dict[str, datetime]:
        """When each of the coming days begins, by its date."""
        pairs = zip(self.days[1:], self.begins[1:], strict=True)
        return {day.isoformat(): begins for day, begins in pairs}

    def age(
        self, rule: str, count: int, unit: str = "months", *, first_day_counts: bool = False
    ) -> Age:
        """Returns the limit that a count of units sets."""
        firsts = tuple(
            earliest(
                day, count, unit, first_day_counts=first_day_counts, calendar=self.pack.calendar
            ).isoformat()
            for day in self.days
        )
        return Age(rule, firsts, self.begins)

    def _months(self, count: int | None) -> Age | None:
        return None if count is None else self.age("consent", count)

    @cached_property
    def consent_expiry(self) -> Age | None:
        """The age at which consent ends, by law or by the organisation's own stricter word."""
        told = (self.pack.consent.expires_months, self.adopted.months("consent"))
        return self._months(min((months for months in told if months is not None), default=None))

    def uses(self, facts: Facts) -> tuple[Day | None, ...]:
        """Returns the days on which a consent was used, as this law counts use."""
        renewed = self.pack.consent.dormancy_renewed_by_message
        return (facts.consented_on, facts.sent_on) if renewed else (facts.consented_on,)

    @cached_property
    def dormancy_review(self) -> Age | None:
        """The age without use at which a person must look first."""
        return self._months(self.pack.consent.dormancy_review_months)

    @cached_property
    def dormancy_warning(self) -> Age | None:
        """The age without use at which consent ought to be refreshed."""
        return self._months(self.pack.consent.dormancy_warning_months)

    @cached_property
    def periods(self) -> tuple[tuple[Period, Age], ...]:
        """The exception's periods with their limits now, in the file's order."""
        return tuple(
            (
                one,
                self.age(
                    f"exception.periods[{number}]",
                    one.count,
                    one.unit,
                    first_day_counts=one.first_day_counts,
                ),
            )
            for number, one in enumerate(self.pack.exception.periods)
        )

    def floors(self, trigger: str) -> tuple[Age, ...]:
        """Returns the other limits on the day of a ground: a first day by law, the organisation's own months."""
        found = self._ages.get(trigger)
        if found is None:
            limits = []
            first = self.pack.exception.not_before.get(trigger)
            if first is not None:
                limits.append(Age("exception", (first.isoformat(),) * len(self.days), self.begins))
            months = self.adopted.months("exception")
            if months is not None:
                limits.append(self.age("exception", months))
            found = self._ages[trigger] = tuple(limits)
        return found


def source(pack: Pack, section: Section) -> str:
    """Returns what a section cites, for people: titles with places, `; ` between."""
    cited = (pack.citations[one] for one in section.citations)
    return "; ".join(f"{one.title}, {one.section}" if one.section else one.title for one in cited)


@lru_cache(maxsize=65536)
def is_day(word: str) -> bool:
    """Tells whether a word is a Day: `current`, `old`, or a date as YYYY-MM-DD."""
    if word in (CURRENT, OLD):
        return True
    try:
        return len(word) == 10 and date.fromisoformat(word).isoformat() == word
    except ValueError:
        return False
