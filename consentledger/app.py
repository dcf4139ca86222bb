"""Puts the web together: the only place that knows all of its parts."""

from __future__ import annotations

from flask import Flask

from consentledger.db.installation import Installation, open_installation
from consentledger.kernel.settings import Settings
from consentledger.web import access_log, problems, rendering, security, services
from consentledger.web.api import register as register_api
from consentledger.web.body import Request
from consentledger.web.public.routes import register as register_public


class App(Flask):
    """Flask with our request: a chunked body over the limit is refused, never cut short."""

    request_class = Request


def create_app(settings: Settings, installation: Installation | None = None) -> Flask:
    """Return the WSGI application of one installation.

    `installation` is opened from the settings unless the caller has one open already. Raises
    ConfigurationError when the schema, the guard or a key is not what it must be.
    """
    app = App("consentledger", static_url_path="/static")
    app.url_map.strict_slashes = True
    # A link's address is what was signed: nothing is redirected to a prettier one.
    app.url_map.merge_slashes = False
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31536000
    services.install(app, installation or open_installation(settings))
    access_log.install(app)
    security.install(app, settings)
    problems.install(app)
    rendering.install(app)
    register_public(app)
    register_api(app)
    return app
