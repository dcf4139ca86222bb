"""GET /brand/<organisation number>/<sender>-<version>.css: a sender's colours, made safe to read."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response
from sqlalchemy import select

from consentledger.kernel.errors import NotFoundError
from consentledger.organisations.models import Organisation, Sender
from consentledger.web import colours
from consentledger.web.access import public
from consentledger.web.services import installation

blueprint = Blueprint("brand", __name__)


@blueprint.get("/brand/<int:number>/<uuid:sender_id>-<int:version>.css")
@public
def stylesheet(number: int, sender_id: UUID, version: int) -> Response:
    """Answer custom properties only; kept for ever by caches, since a new version has a new address."""
    query = (
        select(Sender.version, Sender.identity)
        .join(Organisation, Organisation.organisation_id == Sender.organisation_id)
        .where(Organisation.number == number, Sender.sender_id == sender_id)
    )
    with installation().database.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("no such sender")
    response = Response(colours.stylesheet(row.identity.get("colour")), mimetype="text/css")
    current = row.version == version
    age = "public, max-age=31536000, immutable" if current else "public, max-age=300"
    response.headers["Cache-Control"] = age
    return response


def stylesheet_path(number: int, sender_id: UUID, version: int) -> str:
    """The address of one sender version's stylesheet."""
    return f"/brand/{number}/{sender_id}-{version}.css"
