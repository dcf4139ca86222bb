"""The web over a fresh installation, with a shop in it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentledger.db.installation import Installation
from tests.support.apps import app_of
from tests.web.town import Shop, open_shop


@pytest.fixture
def app(installation: Installation) -> Flask:
    return app_of(installation)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return open_shop(installation, "Alpenkraut")
