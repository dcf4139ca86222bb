"""The catalogues: sentences, dates and names of countries in the languages that pages speak."""

from __future__ import annotations

import gettext as catalogues
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from flask import g, has_app_context

from consentledger.law.telling.words import Name, say

LANGUAGES = ("en", "de")
FOLDER = Path(__file__).resolve().parent.parent / "translations"
MIRRORED = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


@cache
def catalogue(language: str) -> catalogues.NullTranslations:
    """The catalogue of a language; the sentences themselves where there is none."""
    return catalogues.translation("messages", FOLDER, [language], fallback=True)


def gettext(message: str, **values: object) -> str:
    """A sentence in the language of this request, its places filled with `values`."""
    language = g.get("language", LANGUAGES[0]) if has_app_context() else LANGUAGES[0]
    said = catalogue(language).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, count: int) -> str:
    """A sentence about `count` things, named `%(num)d` in it, in the language of this request."""
    language = g.get("language", LANGUAGES[0]) if has_app_context() else LANGUAGES[0]
    return catalogue(language).ngettext(one, many, count) % {"num": count}


def direction(language: str) -> str:
    """`rtl` or `ltr` for the dir attribute."""
    return "rtl" if language.split("-")[0].lower() in MIRRORED else "ltr"


def instant(language: str, moment: datetime) -> str:
    """A moment for people, with its zone said out loud (UTC)."""
    shown = format_datetime(
        moment, "d MMMM y, HH:mm", tzinfo=moment.tzinfo, locale=_locale(language)
    )
    return f"{shown} UTC"


def day(language: str, when: date) -> str:
    """A day for people."""
    pattern = "d. MMMM y" if language == "de" else "d MMMM y"
    return format_date(when, pattern, locale=_locale(language))


def said(language: str, line: object) -> str:
    """A sentence of a rule pack (law.telling.words) in this language."""

    def name(found: Name) -> str:
        if found.kind == "country":
            return country(language, found.code)
        return str(_locale(language).languages.get(found.code, found.code))

    return say(line, catalogue(language).gettext, name)


def country(language: str, code: str) -> str:
    """The country's name, else the code itself."""
    return str(_locale(language).territories.get(code.upper(), code))


def channel(language: str, name: str) -> str:
    """How a channel is called on a page."""
    texts = catalogue(language)
    return {"email": texts.gettext("E-mail"), "sms": texts.gettext("SMS")}.get(name, name)


def field_label(language: str, name: str) -> str:
    """How an input of a form is called."""
    if name == "name":
        return catalogue(language).gettext("Name")
    return name.replace("_", " ").capitalize()


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language if language in LANGUAGES else LANGUAGES[0])
