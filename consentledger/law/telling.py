"""What one rule pack says, topic by topic, in the sentences of law.words: pure, and the same for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from consentledger.law import sentences
from consentledger.law.pack import Pack, Section
from consentledger.law.words import CHANNELS, PERSONS, REGIMES, Line, gettext, word

SECTION_FIELDS = {"says", "citations"}


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
    exception = [_told(pack.exception, sentences.exception(pack))]
    exception += [_told(one, sentences.period(one)) for one in pack.exception.periods]
    topics = (
        Topic("regime", gettext("What is forbidden"), tuple(_regimes(pack))),
        Topic("exception", gettext("The exception for existing customers"), tuple(exception)),
        Topic(
            "unsubscribe",
            gettext("How to get out"),
            (
                _told(pack.unsubscribe, sentences.unsubscribe(pack.unsubscribe)),
                _told(pack.objection),
            ),
        ),
        Topic("consent", gettext("Consent"), (_told(pack.consent, sentences.consent(pack.consent)),)),
        Topic(
            "identity",
            gettext("What a message must tell of its sender"),
            (_told(pack.identity, sentences.identity(pack.identity)),),
        ),
        Topic(
            "labels",
            gettext("Marks in the subject"),
            tuple(_told(one, sentences.label(one)) for one in pack.labels),
        ),
        Topic(
            "hours",
            gettext("When messages may be sent"),
            tuple(_told(one, sentences.hours(one)) for one in pack.hours),
        ),
        Topic(
            "registers",
            gettext("Public registers"),
            tuple(_told(one, sentences.register(one)) for one in pack.registers),
        ),
        Topic(
            "duties",
            gettext("Further duties"),
            tuple(_told(one, sentences.duty(one)) for one in pack.duties),
        ),
        Topic("service", gettext("Messages that are no advertising"), (_told(pack.service),)),
        Topic(
            "records",
            gettext("What the sender must keep"),
            tuple(_told(one, sentences.record(one)) for one in pack.records),
        ),
    )  # fmt: skip
    return tuple(topic for topic in topics if topic.rules)


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
            lines.append(gettext("The register is %(name)s.", name=regime.register))
        yield _told(regime, lines)
