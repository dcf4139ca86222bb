"""/holds: place, list and release legal holds, which suspend destruction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from consentledger.erasure import holds, service
from consentledger.erasure.commands import PlaceHold, ReleaseHold
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, maybe, own_id, text

SCOPE = "erasures"
blueprint = ApiBlueprint("holds", __name__, "Legal holds: destruction waits")


class HoldInSchema(Schema):
    """Whose data must be kept, by whose order, and why."""

    address = maybe("without: everybody of your organisation")
    person = text("who orders it", maxLength=100)
    reason = text("why, for example a case number", maxLength=300)


class ReleaseSchema(Schema):
    """Who ends it."""

    person = text("who ends it", maxLength=100)


class HoldSchema(Schema):
    """A legal hold; it does not tell whose address it is."""

    hold_id = own_id("hold_id")
    whole = fields.Boolean(
        required=True,
        data_key="everybody",
        metadata={"description": "covers the whole organisation"},
    )
    reason = fields.String(required=True)
    placed_by = fields.String(required=True)
    placed_at = Instant(required=True)
    released_by = fields.String(required=True, allow_none=True)
    released_at = Instant(required=True, allow_none=True)


class HoldsSchema(Schema):
    """An organisation's holds, oldest first."""

    items = fields.List(fields.Nested(HoldSchema), required=True)


HOLD, HOLDS = HoldSchema(), HoldsSchema()


@blueprint.operation("POST", "/holds", scope=SCOPE, takes=HoldInSchema(), gives=HOLD, status=201)
def place_hold(given: dict[str, Any]) -> Response:
    """Place a legal hold: nothing that it covers is destroyed until it is released."""
    command = PlaceHold(
        organisation_id=caller().organisation_id,
        person=given["person"],
        reason=given["reason"],
        actor=caller().actor,
        address=given["address"],
    )
    return act(lambda tx: service.place_hold(tx, command), HOLD, 201)


@blueprint.operation("GET", "/holds", scope=SCOPE, gives=HOLDS)
def list_holds() -> Response:
    """List legal holds, released ones too."""
    with reading() as session:
        found = holds.holds(session, caller().organisation_id)
    return answer(HOLDS.dump({"items": found}))


@blueprint.operation(
    "POST", "/holds/<uuid:hold_id>:release", scope=SCOPE, takes=ReleaseSchema(), gives=HOLD
)
def release_hold(given: dict[str, Any], hold_id: UUID) -> Response:
    """Release a legal hold: what it suspended goes on."""
    command = ReleaseHold(caller().organisation_id, hold_id, given["person"], caller().actor)
    return act(lambda tx: service.release_hold(tx, command), HOLD)
