"""The API over a fresh installation on each engine, with the cast: alice, bob and charlie."""

from __future__ import annotations

import pytest
from flask import Flask

from consentledger.db.installation import Installation
from tests.factories import Cast, create_cast
from tests.support.apps import app_of
from tests.web.api.caller import Caller


@pytest.fixture
def app(installation: Installation) -> Flask:
    return app_of(installation)


@pytest.fixture
def cast(installation: Installation) -> Cast:
    return create_cast(installation.database, installation.settings)


@pytest.fixture
def alice(app: Flask, cast: Cast) -> Caller:
    """Owns the shop; her key may do everything."""
    return Caller(app, cast.alice)


@pytest.fixture
def bob(app: Flask, cast: Cast) -> Caller:
    """A member of the same organisation whose key may only read permits."""
    return Caller(app, cast.bob)


@pytest.fixture
def charlie(app: Flask, cast: Cast) -> Caller:
    """An outsider: his key may do everything, in another organisation."""
    return Caller(app, cast.charlie)
