"""POST /contacts:status: what stands about an address. It is a POST, since addresses never stand in a URL."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.kernel.clock import now
from consentledger.web.api.acting import answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, address_field
from consentledger.web.api.status import status_of
from consentledger.web.services import installation

blueprint = ApiBlueprint("contacts", __name__, "Addresses as your organisation knows them")


class AddressSchema(Schema):
    """One address."""

    address = address_field("an e-mail address")


class ConsentStatusSchema(Schema):
    """One consent as it stands."""

    sender = fields.UUID(required=True)
    purpose = fields.UUID(required=True)
    channel = fields.String(required=True)
    state = fields.String(
        required=True, metadata={"description": "requested, confirmed, paused or withdrawn"}
    )
    since = Instant(required=True, attribute="since_at")


class ObjectionSchema(Schema):
    """A stop that is in force; until null: for good."""

    scope = fields.String(required=True)
    sender = fields.UUID(required=True, allow_none=True)
    purpose = fields.UUID(required=True, allow_none=True)
    channel = fields.String(required=True)
    until = fields.String(required=True, allow_none=True)


class ContactStatusSchema(Schema):
    """What stands about an address in your organisation. It is no permit: ask for one before each message."""

    known = fields.Boolean(required=True)
    consents = fields.List(fields.Nested(ConsentStatusSchema), required=True)
    objections = fields.List(fields.Nested(ObjectionSchema), required=True)
    confirmation_blocked_until = Instant(required=True, allow_none=True)
    flags = fields.List(
        fields.String(validate=validate.OneOf(["disposable", "role"])),
        required=True,
        metadata={"description": "kinds of the address that your policy flags, from its requests"},
    )


STATUS = ContactStatusSchema()


@blueprint.operation(
    "POST", "/contacts:status", scope="consents:read", takes=AddressSchema(), gives=STATUS
)
def contact_status(given: dict[str, Any]) -> Response:
    """Tell what stands about an address; reads only, so a repeated Idempotency-Key is answered afresh."""
    organisation_id = caller().organisation_id
    with reading() as session:
        keystore = installation().keystore
        found = status_of(session, keystore, organisation_id, given["address"], now())
    return answer(STATUS.dump(found))
