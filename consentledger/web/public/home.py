"""GET /: the front door, for people who cut an address short."""

from __future__ import annotations

from flask import Blueprint, Response

from consentledger.web import rendering
from consentledger.web.access import public
from consentledger.web.public.pages import HomePage

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def home() -> Response:
    """Say what this is and where to stop messages."""
    return rendering.answer(HomePage(rendering.speak()))
