"""One app for many tests: to put one together takes longer than most tests do.

It is the app of `create_app`. What it keeps of an installation stands in its extensions, and those and its
configuration are made anew for each test. Whoever adds routes, or reads two installations at once, makes apps apart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from flask import Flask

from consentledger.app import create_app
from consentledger.db.installation import Installation
from consentledger.kernel.settings import Settings
from consentledger.web import services

# What belongs to one installation and is read from it; an app is put together by all other settings.
OF_ONE = ("database_url", "guard", "secrets", "mail")


@dataclass(frozen=True, slots=True)
class _Kept:
    app: Flask
    config: dict[str, Any]
    extensions: dict[str, Any]


_kept: dict[tuple[Any, ...], _Kept] = {}


def app_of(installation: Installation) -> Flask:
    """Returns an app on this installation; whatever was tied to an installation before it is let go."""
    settings = installation.settings
    key = _key(settings)
    if key not in _kept:
        made = create_app(settings, installation)
        _kept[key] = _Kept(made, dict(made.config), dict(made.extensions))
    kept = _kept[key]
    kept.app.config.clear()
    kept.app.config.update(kept.config)
    kept.app.extensions = dict(kept.extensions)
    services.install(kept.app, installation)
    return kept.app


def _key(settings: Settings) -> tuple[Any, ...]:
    return tuple(getattr(settings, one.name) for one in fields(settings) if one.name not in OF_ONE)
