"""The view models of the rules pages: which law protects a recipient, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from consentledger.law.pack import Authority, Citation
from consentledger.law.telling.pages import Topic
from consentledger.law.telling.words import Line


@dataclass(frozen=True, slots=True)
class CountryChoice:
    """One line of the list of countries; `draft` when its pack is one."""

    code: str
    name: str
    draft: bool = False


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """The countries whose names begin with one letter, in the page's language."""

    letter: str
    countries: tuple[CountryChoice, ...]


@dataclass(frozen=True, slots=True)
class RulesPage:
    """All countries, by the alphabet of the page's language; `others` have no pack of their own."""

    template: ClassVar[str] = "public/rules.html"
    language: str
    groups: tuple[LetterGroup, ...]
    others: tuple[LetterGroup, ...]


@dataclass(frozen=True, slots=True)
class CountryRulesPage:
    """The rules that protect a recipient in one country, from the pack that is for it.

    `shared`: the pack is for several countries, or (`fallback`) for all that have none of their own. `topics` are for
    everybody, `more` for senders. `sources` stand in the order in which rules cite them. From the day `until` on other
    rules are in force.
    """

    template: ClassVar[str] = "public/rules_country.html"
    language: str
    name: str
    title: str
    pack: str
    draft: bool
    fallback: bool
    shared: bool
    topics: tuple[Topic, ...]
    more: tuple[Topic, ...]
    authorities: tuple[Authority, ...]
    sources: tuple[tuple[Citation, Line], ...]
    confidence: Line
    reviewed_on: date
    penalty: str
    outside: str
    until: date | None = None
