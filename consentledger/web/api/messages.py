"""POST /messages:check: a whole message, held against its permit before it goes out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.messages.model import OUTCOMES
from consentledger.messages.queries import Held
from consentledger.messages.service import CheckMessage, check_message
from consentledger.web.api.acting import answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.services import installation

blueprint = ApiBlueprint("messages", __name__, "Hold a finished message against its permit")


class MessageQuestion(Schema):
    """A message as it goes out, in base64, so that not one octet is changed on the way here."""

    message = fields.String(required=True, metadata={"description": "the whole .eml in base64"})
    recipient = fields.String(
        metadata={"description": "the address it goes to, where To does not name exactly one"}
    )


class FindingSchema(Schema):
    """One thing that was looked at."""

    check = fields.String()
    outcome = fields.String(metadata={"enum": list(OUTCOMES)})
    what = fields.String()
    where = fields.String()
    rule = fields.String()
    mend = fields.String()


class CheckedSchema(Schema):
    """What was found; `ready` when nothing failed."""

    ready = fields.Boolean()
    permit = fields.String(allow_none=True)
    sender = fields.String(allow_none=True)
    findings = fields.List(fields.Nested(FindingSchema))
    meaning = fields.String()


@blueprint.operation(
    "POST", "/messages:check", scope="permits:read", takes=MessageQuestion(), gives=CheckedSchema()
)
def check_one_message(body: Mapping[str, Any]) -> Response:
    """Says what is wrong with a message: identity, way out, marks, signature, permit; it reads only."""
    opened = installation()
    held = Held(
        caller().organisation_id,
        opened.database.log.keystore,
        opened.tokens,
        opened.settings.base_url,
    )
    command = CheckMessage(_decoded(body["message"]), body.get("recipient"))
    with reading() as session:
        checked = check_message(session, held, command, now())
    return answer(checked.as_json())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            "message: the whole .eml in base64", field="message", reason="format"
        ) from None
