"""Packs in plain words: everything that a pack rules is told, and nothing that it does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consentledger.law import model
from consentledger.law import pack as forms
from consentledger.law.pack import Pack
from consentledger.law.reading import packs
from consentledger.law.reading.comparing import Change, as_json, differences
from consentledger.law.reading.loading import sections
from consentledger.law.telling import words
from consentledger.law.telling.pages import tell

EU = packs.pack("EU@1")


def told(pack: Pack, topic: str) -> str:
    found = next(one for one in tell(pack) if one.key == topic)
    return "\n".join(words.say(line) for rule in found.rules for line in rule.lines)


@pytest.mark.parametrize(
    ("known", "keys"),
    [
        (words.REGIMES, forms.REGIMES),
        (words.DOUBLE_OPT_IN, forms.DOUBLE_OPT_IN),
        (words.PRODUCTS, forms.PRODUCTS),
        (words.KINDS, forms.KINDS),
        (words.CONFIDENCES, forms.CONFIDENCES),
        (words.WEEKDAYS, forms.WEEKDAYS),
        (words.TRIGGERS, model.TRIGGERS),
        (words.PERSONS, model.PERSONS),
        (words.CHANNELS, model.CHANNELS),
    ],
)
def test_every_word_of_a_pack_has_plain_words(
    known: dict[str, words.Line], keys: tuple[str, ...]
) -> None:
    assert set(known) == set(keys)


@pytest.mark.parametrize("unit", forms.UNITS)
def test_spans_count_one_and_many(unit: str) -> None:
    assert words.say(words.span(1, unit)).startswith("one ")
    assert words.say(words.span(24, unit)).startswith("24 ")


@pytest.mark.parametrize("name", packs.names())
def test_every_section_of_a_pack_is_told_once(name: str) -> None:
    pack = packs.pack(name)
    rules = [rule for topic in tell(pack) for rule in topic.rules]
    assert sorted(rule.says for rule in rules) == sorted(one.says for _, one in sections(pack))
    for rule in rules:
        assert set(rule.citations) <= set(pack.citations)
        assert not [line for line in rule.lines if "%(" in words.say(line) or not words.say(line)]


def test_a_sentence_says_what_the_key_says() -> None:
    assert "private persons: only with consent given beforehand." in told(EU, "regime")
    assert "There is none" in told(
        replace(EU, exception=replace(EU.exception, available=False)), "exception"
    )
    draft = told(replace(EU, status="draft"), "exception")
    assert "the exception is off" in draft
    assert "the exception is off" not in told(EU, "exception")
    assert "A stop takes effect at once." in told(EU, "unsubscribe")
    slow = replace(EU.unsubscribe, days=10, unit="business_days", first_day_counts=True)
    said = told(replace(EU, unsubscribe=slow), "unsubscribe")
    assert "within 10 business days." in said
    assert "The day on which it arrives counts" in said
    assert "at once" not in said


def test_a_sentence_is_said_in_another_language_with_its_values() -> None:
    line = words.gettext("It carries for %(span)s.", span=words.span(6, "months"))
    german = {
        "It carries for %(span)s.": "Es trägt %(span)s.",
        "%(count)s months": "%(count)s Monate",
    }
    assert words.say(line, lambda text: german[text]) == "Es trägt 6 Monate."
    named = words.gettext("in %(languages)s", languages=(words.Name("language", "ko"),) * 2)
    assert words.say(named, naming=lambda name: name.code.upper()) == "in KO, KO"
    assert words.say(words.word(words.TRIGGERS, "100%_new")) == "100% new"


def test_differences_name_each_key_that_says_something_else() -> None:
    after = replace(
        EU,
        version="2",
        hash="0" * 64,
        exception=replace(EU.exception, channels=("email",)),
        labels=(forms.Label("Marked first.", ("gdpr",), "AD", ("email",)),),
        records=(replace(EU.records[0], period="three years"),),
    )
    changes = {change.key: change for change in differences(EU, after)}
    assert changes["exception.channels"] == Change("exception.channels", "email, sms", "email")
    assert changes["labels[AD].value"] == Change("labels[AD].value", None, "AD")
    assert changes["records[evidence of consent].period"].after == "three years"
    assert changes["version"] == Change("version", "1", "2")
    assert not [key for key in changes if key == "hash" or key.startswith("consent.")]
    assert differences(EU, EU) == ()
    back = {change.key: change for change in differences(after, EU)}
    assert back["labels[AD].value"] == Change("labels[AD].value", "AD", None)


def test_a_pack_as_json_has_every_key_and_plain_values() -> None:
    found = as_json(EU)
    assert found["reviewed_on"] == "2026-11-21"
    assert found["exception"]["channels"] == ["email", "sms"]
    assert found["citations"]["gdpr"]["kind"] == "memory"
    assert found["hash"] == EU.hash
