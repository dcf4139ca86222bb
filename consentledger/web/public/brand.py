"""GET /brand/<organisation number>/<sender>-<version>.css: a sender's colours, made safe to read."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from consentledger.organisations import queries
from consentledger.web import colours
from consentledger.web.access import public
from consentledger.web.services import installation

blueprint = Blueprint("brand", __name__)


@blueprint.get("/brand/<int:number>/<uuid:sender_id>-<int:version>.css")
@public
def stylesheet(number: int, sender_id: UUID, version: int) -> Response:
    """Answer custom properties only; kept for ever by caches, since a new version has a new address."""
    with installation().database.read() as session:
        organisation = queries.organisation_by_number(session, number)
        sender = queries.sender(session, organisation.organisation_id, sender_id)
    response = Response(colours.stylesheet(sender.identity.colour), mimetype="text/css")
    current = sender.version == version
    age = "public, max-age=31536000, immutable" if current else "public, max-age=300"
    response.headers["Cache-Control"] = age
    return response


def stylesheet_path(number: int, sender_id: UUID, version: int) -> str:
    """The address of one sender version's stylesheet."""
    return f"/brand/{number}/{sender_id}-{version}.css"
