"""Renders templates/mail/<name>.{subject.txt,txt,html} in the reader's language, without Flask.

Texts come from gettext catalogues of their own (domain `mail`, beside those of the pages), so that
the worker needs no web framework. What a template can't fill is an error, never an empty place.
"""

from __future__ import annotations

import gettext
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from consentledger.kernel.data import data_dir

DOMAIN = "mail"
SOURCE_LANGUAGE = "en"  # the msgids themselves
WIDTH = 72  # columns of a text part: quoted once it still fits 78
TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"

_LOCALES = {"en": "en_GB"}  # the day before the month, as everywhere but in the United States


@dataclass(frozen=True, slots=True)
class Rendered:
    """One mail's words: the subject on one line, the text part, the HTML part before inlining."""

    language: str
    subject: str
    text: str
    html: str


def languages() -> tuple[str, ...]:
    """Returns the languages that mail can be written in, the source language first."""
    found = sorted(path.parts[-3] for path in TRANSLATIONS.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return (SOURCE_LANGUAGE, *found)


def language_for(wanted: str) -> str:
    """Returns the language a mail is written in for a BCP 47 tag such as `de-AT`, else English."""
    primary = wanted.replace("_", "-").partition("-")[0].lower()
    return primary if primary in languages() else SOURCE_LANGUAGE


def render(name: str, language: str, values: Mapping[str, Any]) -> Rendered:
    """Returns the three parts of the mail `name`; `values` are the templates' variables."""
    language = language_for(language)
    environment = _environment(language)

    def part(ending: str, **more: str) -> str:
        return environment.get_template(f"{name}.{ending}").render(
            **values, **more, language=language
        )

    subject = " ".join(part("subject.txt").split())
    return Rendered(language, subject, part("txt").strip() + "\n", part("html", subject=subject))


def instant(language: str, at: datetime) -> str:
    """Returns an instant for people, in UTC and saying so: the reader's own zone is not known."""
    at = at.astimezone(UTC)
    day = format_date(at, "long", locale=_LOCALES.get(language, language))
    return f"{day}, {at:%H:%M} UTC"


def country(language: str, code: str) -> str:
    """Returns a country's name for its ISO 3166-1 code, or the code when it has none."""
    return str(Locale.parse(language).territories.get(code.upper(), code))


@lru_cache(maxsize=32)
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data_dir("templates") / "mail"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue = gettext.NullTranslations()
    if language != SOURCE_LANGUAGE:
        catalogue = gettext.translation(DOMAIN, TRANSLATIONS, [language])
    # Newstyle: values are put in after translation, and escaped in HTML.
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["instant"] = lambda at: instant(language, at)
    environment.filters["country"] = lambda code: country(language, code)
    environment.filters["wrap"] = _wrap
    environment.filters["line"] = lambda text: " ".join(str(text).split())
    environment.filters["lines"] = lambda text: [
        line for line in (" ".join(row.split()) for row in str(text).splitlines()) if line
    ]
    return environment


def _wrap(text: str) -> str:
    """Wraps a paragraph; a link is never cut, however long."""
    return textwrap.fill(
        " ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False
    )
