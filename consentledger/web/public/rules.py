"""GET /rules and /rules/{country}: which law protects a recipient, in plain words from the rule packs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import groupby

from flask import Blueprint, Response, redirect
from werkzeug.exceptions import NotFound

from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.law.countries import CODES, normalise
from consentledger.law.pack import Citation, Pack
from consentledger.law.reading import choosing, packs
from consentledger.law.telling.pages import Topic, tell
from consentledger.law.telling.words import CONFIDENCES, KINDS, Line, word
from consentledger.web import rendering, words
from consentledger.web.access import public
from consentledger.web.public.page_rules import (
    CountryChoice,
    CountryRulesPage,
    LetterGroup,
    RulesPage,
)

blueprint = Blueprint("rules", __name__)
# What everybody asks stands open; the rest is for senders.
FOR_EVERYBODY = ("regime", "exception", "unsubscribe", "registers")


@blueprint.get(rendering.RULES_PATH)
@public
def countries() -> Response:
    """List all countries; those without a pack of their own lead to the strictest reading."""
    return rendering.answer(list_page(rendering.speak(), now().date()))


@blueprint.get(f"{rendering.RULES_PATH}/<country>")
@public
def rules_of(country: str) -> Response:
    """Say what protects a recipient in one country; lower case and parts of countries are sent on."""
    code = _code(country)
    if code != country:
        sent: Response = redirect(f"{rendering.RULES_PATH}/{code}", 301)  # type: ignore[assignment]
        return sent
    return rendering.answer(country_page(rendering.speak(), code, now().date()))


def _code(country: str) -> str:
    """Returns the canonical code: a country's, or that of a pack that is for none (EU, XX)."""
    asked = country.upper()
    if asked in choosing.ids():
        return asked
    try:
        found = normalise(country)
    except InputError as error:
        raise NotFound from error
    if found is None:
        raise NotFound
    return found


@lru_cache(maxsize=8)
def list_page(language: str, today: date) -> RulesPage:
    """Makes the list of countries in one language."""
    in_force = (choosing.in_force(pack_id, today) for pack_id in choosing.ids())
    own = {code: pack for pack in in_force for code in pack.countries}
    choices = [
        CountryChoice(code, words.country(language, code), draft=pack.status == "draft")
        for code, pack in own.items()
    ]
    others = [
        CountryChoice(code, words.country(language, code)) for code in sorted(CODES - own.keys())
    ]
    return RulesPage(language, _groups(choices), _groups(others))


def _groups(choices: Iterable[CountryChoice]) -> tuple[LetterGroup, ...]:
    ordered = sorted(choices, key=lambda choice: _folded(choice.name))
    return tuple(
        LetterGroup(letter, tuple(group))
        for letter, group in groupby(ordered, key=lambda choice: _folded(choice.name)[0].upper())
    )


def _folded(name: str) -> str:
    """The name without marks and case, for a list in which Österreich stands beside Oman."""
    apart = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


@lru_cache(maxsize=1024)
def country_page(language: str, code: str, today: date) -> CountryRulesPage:
    """Makes the page of one country, `EU` or `XX`, as the rules are on a day."""
    special = code in choosing.ids()
    pack = choosing.in_force(code, today) if special else choosing.of_country(code, today)
    topics = tell(pack)
    for_all = tuple(topic for topic in topics if topic.key in FOR_EVERYBODY)
    fallback = pack.id == packs.FALLBACK
    return CountryRulesPage(
        language=language,
        name=words.country(language, code) if code in CODES else pack.title,
        title=pack.title,
        pack=pack.name,
        draft=pack.status == "draft",
        fallback=fallback,
        shared=not fallback and code != pack.id,
        topics=for_all,
        more=tuple(topic for topic in topics if topic not in for_all),
        authorities=pack.complaints,
        sources=tuple((one, _how_read(pack, one)) for one in _cited(pack, topics)),
        confidence=word(CONFIDENCES, pack.confidence),
        reviewed_on=pack.reviewed_on,
        penalty=pack.penalty,
        outside=pack.outside,
        until=pack.valid_until,
    )


def _how_read(pack: Pack, source: Citation) -> Line:
    # What this service chose itself was read nowhere.
    return CONFIDENCES["policy"] if pack.confidence == "policy" else word(KINDS, source.kind)


def _cited(pack: Pack, topics: Iterable[Topic]) -> list[Citation]:
    """Returns the citations in the order in which rules name them, then those that none names."""
    named = [one for topic in topics for rule in topic.rules for one in rule.citations]
    return [pack.citations[one] for one in dict.fromkeys([*named, *pack.citations])]
