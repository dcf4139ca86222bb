"""GET /healthz (the process answers) and /readyz (the database answers, its schema is ours)."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import select

from consentledger.db.models import Installation, LogHead
from consentledger.kernel.errors import UnavailableError
from consentledger.web.access import public
from consentledger.web.services import installation

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """Say that this process lives."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """Say whether requests can be served now: 200, or 503 for a load balancer.

    A frozen log is served on: stops must be taken, so the body alone says it.
    """
    opened = installation()
    try:
        with opened.database.read() as session:
            session.execute(select(Installation.guard_id)).first()
            origins = session.scalars(select(LogHead.origin)).all()
        frozen = sum(opened.guard.look(origin).frozen is not None for origin in origins)
    except UnavailableError:
        return Response("the database does not answer\n", status=503, mimetype="text/plain")
    text = f"ready, {frozen} log(s) frozen: stops go to the journal\n" if frozen else "ready\n"
    return Response(text, mimetype="text/plain")
