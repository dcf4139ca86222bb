"""GET /.well-known/consentledger.json: origins, verifier keys and a policy to check proofs with."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response
from sqlalchemy import select

from consentledger import __version__
from consentledger.db.models import LogHead
from consentledger.db.signing.signers import newest_evidence_vkey
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
    keys = {origin: installation().signer.vkeys(origin) for origin in origins}
    content = {
        "service": "consentledger",
        "version": __version__,
        "logs": [
            {
                "origin": origin,
                "verifier_key": vkeys[0],
                "verifier_keys": vkeys,
                "evidence_key": newest_evidence_vkey(secrets, origin),
            }
            for origin, vkeys in keys.items()
        ],
        # The newest key of a log stands first; during a rotation's overlap the older one follows it.
        "policy": "".join(f"log {vkey}\n" for vkeys in keys.values() for vkey in vkeys)
        + "quorum none\n",
    }
    response = Response(orjson.dumps(content), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
