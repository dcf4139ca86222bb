"""POST /erasures, GET /erasures/{id}, /erasure-policy: forget a person, get the receipt, say how long you keep."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.erasure import policies, requesting, rules, service
from consentledger.erasure.commands import ChangePolicy, EraseContact, Preview
from consentledger.erasure.receipts import remains
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Flag, Instant, address_field, own_id
from consentledger.web.services import installation

SCOPE = "erasures"
blueprint = ApiBlueprint("erasures", __name__, "Forget people, and say how long you keep")


class ErasureInSchema(Schema):
    """Whom to forget, and why."""

    address = address_field("who wants to be forgotten")
    ground = fields.String(
        load_default="withdrawn",
        validate=validate.OneOf(list(rules.GROUNDS)),
        metadata={"description": "GDPR art. 17(1): " + "; ".join(rules.GROUNDS.values())},
    )
    now = Flag(
        load_default=False,
        metadata={
            "description": "do not wait up to an hour for others; the log then shows which entries belong together"
        },
    )
    dry_run = Flag(
        load_default=False, metadata={"description": "only say what would go: changes nothing"}
    )


class LoggedSchema(Schema):
    """The entry that says so."""

    entry_index = fields.Integer()
    leaf_hash = fields.Function(lambda receipt: receipt.leaf_hash.hex())


class ErasureSchema(Schema):
    """The receipt: what went and when, what the log says of it, what is kept until when, what remains."""

    erasure_id = own_id("erasure_id")
    state = fields.String(required=True, validate=validate.OneOf(rules.STATES))
    ground = fields.String(required=True)
    requested_at = Instant(required=True)
    due_at = Instant(required=True)
    logged_at = Instant(required=True, allow_none=True)
    log = fields.Function(
        lambda receipt: None if receipt.entry_index is None else LoggedSchema().dump(receipt)
    )
    destroyed_at = Instant(required=True, allow_none=True)
    gone = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        allow_none=True,
        metadata={"description": "rows by table"},
    )
    restricted_until = Instant(required=True, allow_none=True, attribute="kept_until")
    remains = fields.Function(remains, metadata={"description": "in sentences"})


class PreviewSchema(Schema):
    """What would go: rows by table, openings by class."""

    rows = fields.Dict(keys=fields.String(), values=fields.Integer())
    openings = fields.Dict(keys=fields.String(), values=fields.Integer())
    keep_for_claims_days = fields.Integer()
    held = fields.Boolean(metadata={"description": "a legal hold would make it wait"})


class PolicySchema(Schema):
    """How long you keep, in days."""

    keep_for_claims_days = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "evidence of erased people, sealed to the escrow key; 0: none"},
    )
    retention_days = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "contacts without a living consent, after their last act"},
    )


ERASURE, PREVIEW, POLICY = ErasureSchema(), PreviewSchema(), PolicySchema()


@blueprint.operation(
    "POST", "/erasures", scope=SCOPE, takes=ErasureInSchema(), gives=ERASURE, status=202
)
def request_erasure(given: dict[str, Any]) -> Response:
    """Forget a person: no permit from now on, then log.erasure, then destruction.

    The same answer for every address, known or not. With `dry_run` 200: counts of what would go.
    """
    who = caller()
    if given["dry_run"]:
        return answer(PREVIEW.dump(_preview(given["address"])))
    command = EraseContact(
        organisation_id=who.organisation_id,
        address=given["address"],
        actor=who.actor,
        ground=given["ground"],
        now=given["now"],
    )
    return act(lambda tx: service.request_erasure(tx, command), ERASURE, 202)


@blueprint.operation("GET", "/erasures/<uuid:erasure_id>", scope=SCOPE, gives=ERASURE)
def get_erasure(erasure_id: UUID) -> Response:
    """Get an erasure's receipt as it stands now; it names nobody."""
    with reading() as session:
        found = requesting.receipt(session, caller().organisation_id, erasure_id)
    return answer(ERASURE.dump(found))


@blueprint.operation("GET", "/erasure-policy", scope=SCOPE, gives=POLICY)
def get_policy() -> Response:
    """Get how long you keep."""
    with reading() as session:
        found = policies.policy(session, caller().organisation_id)
    return answer(POLICY.dump(found))


@blueprint.operation("PUT", "/erasure-policy", scope=SCOPE, takes=PolicySchema(), gives=POLICY)
def put_policy(given: dict[str, Any]) -> Response:
    """Say how long you keep; what is left out stays. Every change is an entry of the log."""
    command = ChangePolicy(caller().organisation_id, caller().actor, **given)
    key = installation().settings.escrow_key
    return act(lambda tx: service.change_policy(tx, command, key), POLICY)


def _preview(address: str) -> Preview:
    with reading() as session:
        keystore = installation().keystore
        return requesting.preview(session, keystore, caller().organisation_id, address)
