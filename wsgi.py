"""The WSGI entry for a server of your own choice; `consentledger web` is the same with gunicorn."""

from __future__ import annotations

from consentledger.app import create_app
from consentledger.kernel import logging
from consentledger.kernel.settings import Settings

logging.configure()  # else the default would print variables with a traceback: addresses and tokens
application = create_app(Settings.load())
