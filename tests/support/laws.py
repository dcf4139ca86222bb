"""Made-up rule packs, facts and messages, by dice: mostly by the book, with days near the ends of the packs' periods.

The dice are thrown from one number, which a failing test names: most worlds must allow something, so that a change
has something to take away, and no generator of independent fields gets there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from consentledger.law import model
from consentledger.law import pack as forms
from consentledger.law.deciding.calendar import shift_months
from consentledger.law.model import Customer, Facts, Message
from consentledger.law.pack import Exemption, Hours, Label, Pack, Period, Regime, Register
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted, Rulebook

_T = TypeVar("_T")
# An ordinary day; the end of a leap day; minutes before a clock is changed; a Saturday beyond the date line.
TIMES = (
    datetime(2026, 11, 24, 10, tzinfo=UTC),
    datetime(2028, 2, 29, 22, 30, tzinfo=UTC),
    datetime(2026, 3, 28, 23, 59, tzinfo=UTC),
    datetime(2026, 10, 31, 12, tzinfo=UTC),
)
COUNTRIES = ("DE", "FR", "US")
REGISTERS = ("DE-LIST", "DE-KEPT")
PERSONS = model.PERSONS[:3]
_ZONES = (
    ("Europe/Berlin",),
    ("America/New_York", "Pacific/Honolulu"),
    ("Pacific/Auckland",),
    ("Africa/Cairo", "Asia/Kolkata"),
)
_MONTHS = (6, 12, 24)
_SAID: dict[str, Any] = {"says": "as made up", "citations": ("eprivacy-13",)}


class Dice(Random):
    """Throws worlds to decide in."""

    def often(self, usual: _T, *others: _T, share: float = 0.8) -> _T:
        """The usual, mostly."""
        return usual if self.random() < share else self.choice((usual, *others))

    def some(self, words: tuple[str, ...], share: float = 0.5) -> tuple[str, ...]:
        """Some of the words, in their order."""
        return tuple(word for word in words if self.random() < share)

    def yes(self, share: float = 0.5) -> bool:
        """Tells whether to."""
        return self.random() < share

    def day(self, at: datetime) -> str:
        """A day in the past: near the end of a period, or any."""
        today = at.date()
        if self.yes(0.7):
            months = self.choice((0, *_MONTHS))
            end = today - timedelta(days=months) if self.yes(0.3) else shift_months(today, -months)
            return min(today, end + timedelta(days=self.randint(-3, 3))).isoformat()
        return (today - timedelta(days=self.randrange(1500))).isoformat()

    def pack(self, country: str) -> Pack:
        """A pack for one country, of any sense or none."""
        base = packs.pack("EU@1")
        consent = replace(
            base.consent,
            double_opt_in=self.choice(forms.DOUBLE_OPT_IN),
            expires_months=self.often(None, *_MONTHS, share=0.6),
            dormancy_warning_months=self.choice((None, *_MONTHS)),
            dormancy_review_months=self.often(None, *_MONTHS, share=0.6),
            ends_with_relationship=self.yes(0.3),
        )
        regime = Regime(
            **_SAID,
            natural=self.choice(forms.REGIMES),
            legal=self.choice(forms.REGIMES),
            sole_trader=self.choice((None, *forms.REGIMES)),
            register=self.choice((None, REGISTERS[0])),
        )
        return replace(
            base,
            id=country,
            countries=(country,),
            status=self.often("published", "draft"),
            regime=dict.fromkeys(model.CHANNELS, regime),
            exception=self._exception(),
            consent=consent,
            calendar=replace(base.calendar, zones=self.choice(_ZONES)),
            registers=tuple(self._register(code) for code in self.some(REGISTERS, 0.4)),
            hours=tuple(self._hours() for _ in range(self.often(0, 1, 2))),
            labels=tuple(self._label() for _ in range(self.often(0, 1))),
        )

    def _exception(self) -> Exemption:
        return Exemption(
            **_SAID,
            available=self.often(True, False, share=0.9),
            channels=model.CHANNELS,
            persons=self.often(PERSONS, self.some(PERSONS)),
            triggers=self.often(model.TRIGGERS, self.some(model.TRIGGERS)),
            risk_triggers=self.often((), ("sale_paid",)),
            same_legal_person=self.yes(),
            products=self.choice(forms.PRODUCTS),
            opt_out_at_collection=self.yes(),
            collected_directly=self.yes(),
            told_use_for_advertising=self.yes(),
            ends_with_relationship=self.yes(),
            disclosed=self.often((), ("sale_paid", "business_card")),
            disclosed_persons=PERSONS,
            disclosed_role_relevant=self.yes(),
            not_before=self.often({}, {"sale_paid": date(2026, 2, 5)}),
            periods=tuple(self._period() for _ in range(self.choice((0, 1, 1, 2)))),
        )

    def _period(self) -> Period:
        return Period(
            **_SAID,
            triggers=self.often(model.TRIGGERS, ()),
            count=self.choice(_MONTHS),
            unit=self.often("months", "days", "business_days"),
            starts=self.often("event", "end"),
            first_day_counts=self.yes(),
            renewed_by_message=self.yes(0.3),
        )

    def _register(self, code: str) -> Register:
        return Register(
            **_SAID,
            code=code,
            name="a list",
            url="https://list.example",
            channels=model.CHANNELS,
            must_check=self.yes(0.7),
            max_age_days=self.choice((0, 1, 30)),
            blocks=self.often("listed", "absent", share=0.6),
            applies_to=self.some(model.BASES[:3], 0.6),
            persons=self.often(model.PERSONS, self.some(model.PERSONS)),
        )

    def _hours(self) -> Hours:
        return Hours(
            **_SAID,
            channels=model.CHANNELS,
            days=self.often(forms.WEEKDAYS, self.some(forms.WEEKDAYS)),
            opens=self.choice(("00:00", "02:30", "08:00")),
            closes=self.choice(("10:30", "21:00", "24:00")),
            consent_overrides=self.yes(),
        )

    def _label(self) -> Label:
        return Label(
            **_SAID,
            value=self.choice(("AD", "(AD)")),
            channels=model.CHANNELS,
            when=self.choice(("always", "unsolicited")),
            alternatives=self.choice(((), ("AD",))),
        )

    def world(self) -> tuple[Facts, Message, Rulebook]:
        """Facts, a message and a rulebook: of made-up packs, or of all that the installation brings."""
        real = self.yes(0.4)
        rulebook = ROOM if real else self.rulebook()
        message = self.message(_codes(rulebook))
        facts = self.facts(message.send_at, _codes(rulebook))
        if real:
            countries = sorted({self.choice(_EVERYWHERE), *self.some(_EVERYWHERE, 0.01)})
            facts = facts._replace(countries=tuple(countries))
        return facts, message, rulebook

    def rulebook(self) -> Rulebook:
        """Made-up packs for two countries, the real ones of the United States and of nobody."""
        made = [
            Adopted(self.pack(country), (), self.choice(((), ("sale_paid",))))
            for country in COUNTRIES[:2]
        ]
        return Rulebook((*made, Adopted(packs.pack("US@1")), Adopted(packs.pack("XX@1"))))

    def customer(self, at: datetime) -> Customer:
        """A sale, mostly by the book."""
        flags = self.often(("same_person", "directly", "offered", "told"), self.some(model.FLAGS))
        return Customer(
            trigger=self.often("sale_paid", *model.TRIGGERS),
            on=self.day(at),
            ended_on=self.often(None, self.day(at)),
            renewed_on=self.choice((None, self.day(at))),
            relation=self.often("same_kind", *model.RELATIONS),
            flags=flags,
        )

    def facts(self, at: datetime, codes: tuple[str, ...] = REGISTERS) -> Facts:
        """Facts in known words, likelier than not about a consent or a sale."""
        confirmed = self.yes()
        consent = "confirmed" if confirmed else self.often("none", *model.CONSENT_STATES)
        return Facts(
            recipient=self.often("record", *model.RECIPIENTS, share=0.95),
            countries=self.often(
                (self.choice(COUNTRIES),), self.some((*COUNTRIES, "ZZ")), share=0.6
            ),
            person=self.choice(model.PERSONS),
            capacity=self.choice(model.CAPACITIES),
            consent=consent,
            grade=self.often("double_opt_in", *model.GRADES),
            consented_on=self.often(self.day(at), None),
            sent_on=self.choice((None, self.day(at))),
            objection=self.often("none", *model.OBJECTIONS, share=0.9),
            closed=self.yes(0.1),
            customer=self.often(self.customer(at), None, share=0.6),
            listed=self.some(codes, 0.3),
            tracking=self.choice(model.CONSENT_STATES),
        )

    def message(self, codes: tuple[str, ...] = REGISTERS) -> Message:
        """A message, likelier than not about marketing, with imports of the registers."""
        at = self.choice(TIMES)
        ages = (timedelta(hours=1), timedelta(days=1), timedelta(days=29, hours=20))
        return Message(
            message_class=self.often("marketing", *model.MESSAGE_CLASSES),
            channel=self.choice(model.CHANNELS),
            send_at=at,
            contains=self.often((), ("promotion",)),
            registers=tuple((code, at - self.choice(ages)) for code in self.some(codes, 0.8)),
            tracking=self.yes(0.2),
        )


def _codes(rulebook: Rulebook) -> tuple[str, ...]:
    """The codes of all registers that a rulebook knows, sorted."""
    return tuple(
        sorted({one.code for adopted in rulebook.adopted for one in adopted.pack.registers})
    )


def _taken_on(name: str) -> Adopted:
    pack = packs.pack(name)
    return Adopted(pack, (), pack.exception.risk_triggers)


ROOM = Rulebook(tuple(_taken_on(name) for name in packs.names()))
_EVERYWHERE = tuple(sorted({one for adopted in ROOM.adopted for one in adopted.pack.countries}))
