"""The web over a fresh installation, with a shop in it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentledger.app import create_app
from consentledger.db.installation import Installation
from tests.web.town import Shop, open_shop


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation.settings, installation)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return open_shop(installation, "Alpenkraut")
