"""The WSGI entry for a server of your own choice; `consentledger web` is the same with gunicorn."""

from __future__ import annotations

from consentledger.app import create_app
from consentledger.kernel.settings import Settings

application = create_app(Settings.load())
