"""GET /.well-known/consentledger.json: origins, verifier keys and a policy to check proofs with."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response
from sqlalchemy import select

from consentledger import __version__
from consentledger.db.models import LogHead
from consentledger.ledger.note import Signer
from consentledger.organisations.service import evidence_signer
from consentledger.web.access import public
from consentledger.web.rendering import WELL_KNOWN_PATH
from consentledger.web.services import installation

blueprint = Blueprint("well_known", __name__)


@blueprint.get(WELL_KNOWN_PATH)
@public
def well_known() -> Response:
    """Name each log's origin and verifier key, and the C2SP tlog-policy made of them."""
    with installation().database.read() as session:
        origins = session.scalars(select(LogHead.origin).order_by(LogHead.origin)).all()
    secrets = installation().settings.secrets
    keys = {origin: Signer.from_seed(origin, secrets.log_key).vkey for origin in origins}
    content = {
        "service": "consentledger",
        "version": __version__,
        "logs": [
            {
                "origin": origin,
                "verifier_key": key,
                "evidence_key": evidence_signer(origin, secrets.evidence_key).vkey,
            }
            for origin, key in keys.items()
        ],
        "policy": "".join(f"log {key}\n" for key in keys.values()) + "quorum none\n",
    }
    response = Response(orjson.dumps(content), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
