"""POST /permits, POST /permits:recheck, GET /permits/{id}: may this message go to this person?

The body of POST /permits is read by permits.rules, not by a schema: ten thousand recipients in one JSON body
would spend more time in the schema than in the decision. The schemas here describe it for the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from consentledger.accounts import idempotency
from consentledger.kernel.clock import now
from consentledger.kernel.errors import NotFoundError
from consentledger.law.first.model import MESSAGE_CLASSES
from consentledger.permits import queries, rechecks, rules, service
from consentledger.permits.answers import issued_answer, permit_answer, recheck_answer
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued
from consentledger.web.api.acting import REPLAYED, answer, reading, repeatable
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.services import installation

blueprint = ApiBlueprint(
    "permits", __name__, "Ask whether messages may go out; links, headers, proofs"
)


class _Described(Schema):
    """A schema that only describes: what it loads is read by the slice's own rules."""

    def load(self, data: Any, **_options: Any) -> Any:
        """Returns the body as it came."""
        return data


class PermitQuestion(_Described):
    """One message, and whom it would go to."""

    sender = fields.UUID(required=True)
    purpose = fields.UUID(required=True)
    channel = fields.String(required=True, metadata={"example": "email"})
    recipients = fields.List(
        fields.Raw(metadata={"description": 'an address, or {"address": …}'}),
        required=True,
        validate=validate.Length(1, rules.MAX_RECIPIENTS),
    )
    message_class = fields.String(
        data_key="class", load_default="marketing", validate=validate.OneOf(MESSAGE_CLASSES)
    )
    campaign = fields.String(metadata={"description": "1 to 64 of A-Z a-z 0-9 _ . -"})
    valid_for = fields.Integer(
        load_default=3600, validate=validate.Range(1, 86_400), metadata={"description": "seconds"}
    )


class ReasonSchema(Schema):
    """Why: a short word, the rule, and its source."""

    code = fields.String()
    rule = fields.String()
    source = fields.String()


class PermitRow(Schema):
    """The decision about one recipient."""

    address = fields.String()
    permit = fields.String(metadata={"description": "the permit's id, 16 characters"})
    allowed = fields.Boolean()
    basis = fields.String(allow_none=True)
    reasons = fields.List(fields.Nested(ReasonSchema))
    duties = fields.List(fields.String())
    valid_until = fields.DateTime(allow_none=True)
    unsubscribe_url = fields.URL(allow_none=True)
    headers = fields.Dict(keys=fields.String(), values=fields.String())


class PermitBatchSchema(Schema):
    """A batch of decisions, one per recipient, in the order of asking."""

    batch = fields.String()
    entry_index = fields.Integer()
    issued_at = fields.DateTime()
    valid_until = fields.DateTime()
    count = fields.Integer()
    allowed = fields.Integer()
    meaning = fields.String()
    permits = fields.List(fields.Nested(PermitRow))


class RecheckQuestion(_Described):
    """Ids of permits."""

    permits = fields.List(
        fields.String(), required=True, validate=validate.Length(1, rules.MAX_RECIPIENTS)
    )


class DeadPermit(Schema):
    """A permit that must not be used, and why."""

    permit = fields.String()
    reason = fields.String(validate=validate.OneOf(rechecks.REASONS))


class RecheckAnswer(Schema):
    """Which of the ids are dead by now."""

    checked = fields.Integer()
    dead = fields.List(fields.Nested(DeadPermit))
    meaning = fields.String()


class PackSchema(Schema):
    """The rule pack that decided."""

    name = fields.String()
    hash = fields.String()


class PermitProofSchema(Schema):
    """The permit's line, its path in the batch, the batch's entry, and its path in the log."""

    batch = fields.Integer(metadata={"description": "index of the batch's entry"})
    permit = fields.String()
    row = fields.Integer()
    count = fields.Integer()
    disclosure = fields.String()
    path = fields.List(fields.String())
    leaf = fields.String()
    tlog_proof = fields.String(allow_none=True)


class PermitSchema(PermitRow):
    """One permit as recorded; it names the contact by id, never by address."""

    class Meta:
        """What of a row is not told again."""

        exclude = ("address", "unsubscribe_url", "headers")

    state = fields.String(metadata={"description": "valid, expired, stopped, denied or log_frozen"})
    batch = fields.String()
    row = fields.Integer()
    contact = fields.UUID(allow_none=True)
    sender = fields.UUID()
    purpose = fields.UUID()
    channel = fields.String()
    message_class = fields.String(data_key="class")
    campaign = fields.String(allow_none=True)
    pack = fields.Nested(PackSchema)
    consent = fields.String()
    objection = fields.String()
    issued_at = fields.DateTime()
    meaning = fields.String()
    proof = fields.Nested(PermitProofSchema)


@blueprint.operation(
    "POST", "/permits", scope="permits:write", takes=PermitQuestion(), gives=PermitBatchSchema()
)
def issue_permits(body: Mapping[str, Any]) -> Response:
    """Decides for each recipient whether one message may go out, with its link and headers if it may."""
    key = caller()
    issued, repeated = _issued(rules.read_message(body, key.organisation_id, key.actor))
    opened = installation()
    made = answer(issued_answer(issued, opened.tokens, opened.settings.base_url))
    if repeated:
        made.headers[REPLAYED] = "true"
    return made


@blueprint.operation(
    "POST", "/permits:recheck", scope="permits:read", takes=RecheckQuestion(), gives=RecheckAnswer()
)
def recheck_permits(body: Mapping[str, Any]) -> Response:
    """Names the ids that are dead by now; a repeated Idempotency-Key is answered afresh, for it only reads."""
    ids = rechecks.read_ids(body)
    if _frozen():
        dead = rechecks.all_frozen(ids)
    else:
        with reading() as session:
            dead = rechecks.dead_by_now(session, caller().organisation_id, ids, now())
    return answer(recheck_answer(ids, dead))


@blueprint.operation("GET", "/permits/<permit>", scope="permits:read", gives=PermitSchema())
def get_permit(permit: str) -> Response:
    """Tells one permit with its proof, by the id that the batch's answer gave it."""
    permit_id = PermitId.parse(permit)
    if permit_id is None:
        raise NotFoundError("no such permit")
    organisation_id = caller().organisation_id
    with reading() as session:
        proof = queries.permit_proof(session, organisation_id, permit_id, installation().tiles)
        batch = queries.batch(session, organisation_id, permit_id.batch)
        dead = rechecks.dead_by_now(session, organisation_id, [permit], now())
    if _frozen():
        dead = rechecks.all_frozen([permit])
    return answer(permit_answer(batch, proof, dead[0].reason if dead else "valid"))


def _frozen() -> bool:
    opened = installation()
    return opened.watch.reason(opened.database, caller().organisation_id) is not None


def _issued(command: IssuePermits) -> tuple[Issued, bool]:
    """The batch, and whether it was issued before under the same Idempotency-Key.

    What is kept for a repetition is the batch's number: its rows hold the rest of the answer already.
    """
    database = installation().database
    key = request.headers.get("Idempotency-Key")
    prepared = service.prepare(database, command)
    with database.begin() as tx:
        if key is None:
            return service.issue(tx, prepared), False
        claimed = idempotency.claim(tx, repeatable(key))
        if isinstance(claimed, idempotency.Claim):
            issued = service.issue(tx, prepared)
            idempotency.keep(tx, claimed, 200, service.to_keep(issued))
            return issued, False
        kept = claimed.body
    # What was issued before a restore may have been stopped since, in the part that is missing.
    installation().watch.look(database, command.organisation_id)
    with database.read() as session:
        return service.again(session, command, kept), True
