"""What a view needs besides its request: the installation and the limiter of the current app."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from consentledger.db.installation import Installation
from consentledger.limits.form_tokens import FormTokens
from consentledger.limits.work import Work
from consentledger.web.limits import Limiter

NAME = "consentledger"


@dataclass(frozen=True, slots=True)
class Services:
    """The long-lived objects of one web process; all may be used by several threads."""

    installation: Installation
    limiter: Limiter
    form_tokens: FormTokens
    work: Work


def install(app: Flask, installation: Installation) -> None:
    """Ties an opened installation to `app`."""
    settings = installation.settings
    limiter = Limiter(
        installation.database, settings.secrets.secret_keys[-1], enabled=settings.signup_limits
    )
    keys = settings.secrets.secret_keys
    app.extensions[NAME] = Services(installation, limiter, FormTokens(keys), Work.under(keys))


def services() -> Services:
    """The services of the app that handles this request."""
    made = current_app.extensions[NAME]
    assert isinstance(made, Services)  # noqa: S101 -- create_app installs them
    return made


def installation() -> Installation:
    """The installation of the app that handles this request."""
    return services().installation
