"""Renders the pages: one environment per language, one language choice, one answer with a page."""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from typing import Any

from flask import Flask, Response, current_app, g, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consentledger.kernel.data import data_dir
from consentledger.web import words
from consentledger.web.public.pages import (
    BrokenLinkPage,
    CheckMailPage,
    ErrorPage,
    HomePage,
    Page,
    RulesPage,
    StopKeptPage,
)
from consentledger.web.words import LANGUAGES

SERVICE_NAME = "consentledger"
STOP_PATH = "/stop"
RULES_PATH = "/rules"
WELL_KNOWN_PATH = "/.well-known/consentledger.json"
NAME = "consentledger.pages"
# Answers without a word about the person: made once, the same bytes for everyone.
SAME_FOR_MANY = (BrokenLinkPage, CheckMailPage, ErrorPage, HomePage, RulesPage, StopKeptPage)


def install(app: Flask) -> None:
    """Gives `app` the templates of the pages, once for each language."""
    stylesheet = _stylesheet_url(app)
    app.extensions[NAME] = {tag: _environment(tag, stylesheet) for tag in LANGUAGES}


def speak(*wanted: str | None) -> str:
    """Settle the language of this request: the first supported of `wanted`, else the browser's.

    Called by a view before its first sentence; returns the language, for the view model.
    """
    # werkzeug's best_match prefers `en;q=0.1` to `de-AT`; here the wish counts, whatever its region.
    wishes = (tag for tag, quality in request.accept_languages if quality > 0)
    tags = (_base(tag) for tag in (*wanted, *wishes))
    language = next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
    g.language = language
    return language


def _base(tag: str | None) -> str:
    return (tag or "").replace("_", "-").split("-")[0].lower()


def answer(page: Page, status: int = 200) -> Response:
    """Answer with a page; web.security adds the headers."""
    response = Response(render(page), status=status, mimetype="text/html")
    response.headers["Content-Language"] = page.language
    return response


def render(page: Page) -> str:
    """The HTML of one page in the page's own language, else in English."""
    environments: dict[str, Environment] = current_app.extensions[NAME]
    chosen = environments.get(page.language) or environments[LANGUAGES[0]]
    return _kept(chosen, page) if isinstance(page, SAME_FOR_MANY) else _made(chosen, page)


def _made(environment: Environment, page: Page) -> str:
    return environment.get_template(page.template).render(page=page)


@lru_cache(maxsize=256)
def _kept(environment: Environment, page: Page) -> str:
    return _made(environment, page)


def _environment(language: str, stylesheet: str) -> Environment:
    # Sentences are bound to the language when a template is made: no look-up for each of them.
    made = Environment(
        loader=FileSystemLoader(data_dir("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    extension: Any = made
    extension.install_gettext_translations(words.catalogue(language), newstyle=True)
    made.policies["ext.i18n.trimmed"] = True
    made.filters.update(
        channel=partial(words.channel, language),
        country=partial(words.country, language),
        day=partial(words.day, language),
        direction=words.direction,
        field_label=partial(words.field_label, language),
        initial=initial,
        instant=partial(words.instant, language),
        said=partial(words.said, language),
    )
    made.globals.update(
        service_name=SERVICE_NAME,
        stylesheet_url=stylesheet,
        rules_path=RULES_PATH,
        stop_path=STOP_PATH,
        well_known_path=WELL_KNOWN_PATH,
    )
    return made


def _stylesheet_url(app: Flask) -> str:
    # The content's hash in the address lets caches keep it for ever, and a change shows at once.
    folder = app.static_folder
    assert folder is not None  # noqa: S101 -- create_app always names one
    with open(f"{folder}/pages.css", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    return f"/static/pages.css?v={digest}"


def initial(name: str) -> str:
    """The first letter or digit of a name, upper case, for the coloured tile."""
    return next((letter.upper() for letter in name if letter.isalnum()), "·")
