"""What one rule pack says, topic by topic, in the sentences beside this: pure, and the same for every reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from consentledger.law.pack import Pack, Section
from consentledger.law.telling import sentences
from consentledger.law.telling.words import CHANNELS, PERSONS, REGIMES, Line, gettext, word

AnySection = TypeVar("AnySection", bound=Section)


class Told(NamedTuple):
    """One rule: its sentences, what the pack's author wrote of it in English, and the citations' ids."""

    lines: tuple[Line, ...]
    says: str
    citations: tuple[str, ...]


class Topic(NamedTuple):
    """One heading with its rules; `key` is the pack's own table."""

    key: str
    heading: Line
    rules: tuple[Told, ...]


def tell(pack: Pack) -> tuple[Topic, ...]:
    """Returns everything that a pack rules, in the order in which people ask; topics without a rule are left out."""
    topics = (*_for_everybody(pack), *_for_senders(pack))
    return tuple(topic for topic in topics if topic.rules)


def _for_everybody(pack: Pack) -> Iterator[Topic]:
    yield Topic("regime", gettext("What is forbidden"), tuple(_regimes(pack)))
    exception = [_told(pack.exception, sentences.exception(pack))]
    exception += [_told(one, sentences.period(one)) for one in pack.exception.periods]
    yield Topic("exception", gettext("The exception for existing customers"), tuple(exception))
    out = _told(pack.unsubscribe, sentences.unsubscribe(pack.unsubscribe))
    yield Topic("unsubscribe", gettext("How to get out"), (out, _told(pack.objection)))


def _for_senders(pack: Pack) -> Iterator[Topic]:
    consent = _told(pack.consent, sentences.consent(pack.consent))
    yield Topic("consent", gettext("Consent"), (consent,))
    identity = _told(pack.identity, sentences.identity(pack.identity))
    yield Topic("identity", gettext("What a message must tell of its sender"), (identity,))
    labels = _each(pack.labels, sentences.label)
    yield Topic("labels", gettext("Marks in the subject"), labels)
    hours = _each(pack.hours, sentences.hours)
    yield Topic("hours", gettext("When messages may be sent"), hours)
    registers = _each(pack.registers, sentences.register)
    yield Topic("registers", gettext("Public registers"), registers)
    yield Topic("duties", gettext("Further duties"), _each(pack.duties, sentences.duty))
    yield Topic("service", gettext("Messages that are no advertising"), (_told(pack.service),))
    records = _each(pack.records, sentences.record)
    yield Topic("records", gettext("What the sender must keep"), records)


def _each(
    rules: Iterable[AnySection], lines: Callable[[AnySection], Iterable[Line]]
) -> tuple[Told, ...]:
    return tuple(_told(rule, lines(rule)) for rule in rules)


def _told(section: Section, lines: Iterable[Line] = ()) -> Told:
    return Told(tuple(lines), section.says, section.citations)


def _regimes(pack: Pack) -> Iterator[Told]:
    for channel, regime in pack.regime.items():
        kinds = {"natural": regime.natural, "legal": regime.legal}
        if regime.sole_trader is not None and regime.sole_trader != regime.natural:
            kinds = {
                "natural": regime.natural,
                "sole_trader": regime.sole_trader,
                "legal": regime.legal,
            }
        lines = [
            gettext(
                "%(channel)s to %(persons)s: %(rule)s.",
                channel=word(CHANNELS, channel),
                persons=word(PERSONS, person),
                rule=word(REGIMES, rule),
            )
            for person, rule in kinds.items()
        ]
        if regime.register is not None:
            named = {one.code: one.name for one in pack.registers}
            name = named.get(regime.register, regime.register)
            lines.append(gettext("The register: %(name)s.", name=name))
        yield _told(regime, lines)
