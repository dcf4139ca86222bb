"""Renders the pages: one Jinja environment, one language choice, one place that answers with a page."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_datetime
from flask import Flask, Response, g, has_request_context, render_template, request
from flask_babel import Babel, gettext, refresh

from consentledger.kernel.data import data_dir
from consentledger.web.public.pages import Page

SERVICE_NAME = "consentledger"
LANGUAGES = ("en", "de")
STOP_PATH = "/stop"
WELL_KNOWN_PATH = "/.well-known/consentledger.json"
MIRRORED = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def install(app: Flask) -> None:
    """Gives `app` the templates, the catalogues and the filters that the pages use."""
    app.template_folder = str(data_dir("templates"))
    app.config.setdefault("BABEL_DEFAULT_LOCALE", LANGUAGES[0])
    Babel(app, locale_selector=_locale)
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.policies["ext.i18n.trimmed"] = True
    env.filters.update(
        channel=channel_name,
        country=country_name,
        direction=direction,
        field_label=field_label,
        initial=initial,
        instant=instant,
    )
    env.globals.update(
        service_name=SERVICE_NAME,
        stylesheet_url=_stylesheet_url(app),
        stop_path=STOP_PATH,
        well_known_path=WELL_KNOWN_PATH,
    )


def speak(*wanted: str | None) -> str:
    """Settle the language of this request: the first supported of `wanted`, else the browser's.

    Called by a view before its first sentence; returns the language, for the view model.
    """
    # werkzeug's best_match prefers `en;q=0.1` to `de-AT`; here the wish counts, whatever its region.
    wishes = (tag for tag, quality in request.accept_languages if quality > 0)
    tags = (_base(tag) for tag in (*wanted, *wishes))
    language = next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
    g.language = language
    refresh()
    return language


def _base(tag: str | None) -> str:
    return (tag or "").replace("_", "-").split("-")[0].lower()


def answer(page: Page, status: int = 200) -> Response:
    """Answer with a page; web.security adds the headers."""
    response = Response(render(page), status=status, mimetype="text/html")
    response.headers["Content-Language"] = page.language
    return response


def render(page: Page) -> str:
    """The HTML of one page in the page's own language."""
    if g.get("language") != page.language:
        g.language = page.language
        refresh()
    return render_template(page.template, page=page)


def _locale() -> str:
    language = g.get("language") if has_request_context() else None
    return language if language in LANGUAGES else LANGUAGES[0]


def _stylesheet_url(app: Flask) -> str:
    # The content's hash in the address lets caches keep it for ever, and a change shows at once.
    folder = app.static_folder
    assert folder is not None  # noqa: S101 -- create_app always names one
    with open(f"{folder}/pages.css", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    return f"/static/pages.css?v={digest}"


def direction(language: str) -> str:
    """`rtl` or `ltr` for the dir attribute."""
    return "rtl" if language.split("-")[0].lower() in MIRRORED else "ltr"


def initial(name: str) -> str:
    """The first letter or digit of a name, upper case, for the coloured tile."""
    return next((letter.upper() for letter in name if letter.isalnum()), "·")


def instant(moment: datetime) -> str:
    """A moment for people, in the page's language, with its zone said out loud (UTC)."""
    locale = _babel_locale(g.get("language"))
    return f"{format_datetime(moment, 'd MMMM y, HH:mm', tzinfo=moment.tzinfo, locale=locale)} UTC"


def country_name(code: str) -> str:
    """The country's name in the page's language, else the code itself."""
    return str(_babel_locale(g.get("language")).territories.get(code.upper(), code))


def _babel_locale(language: str | None) -> Locale:
    try:
        return Locale.parse(language or LANGUAGES[0], sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(LANGUAGES[0])


def channel_name(channel: str) -> str:
    """How a channel is called on a page."""
    names: dict[str, Any] = {"email": gettext("E-mail"), "sms": gettext("SMS")}
    return str(names.get(channel, channel))


def field_label(name: str) -> str:
    """How an input of a form is called."""
    return str(gettext("Name")) if name == "name" else name.replace("_", " ").capitalize()
