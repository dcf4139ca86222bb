"""POST /sends and POST /permits:find: what became of permitted messages, and the permit behind a Message-ID.

The body of POST /sends is read by sends.rules, not by a schema; the schemas here describe it for the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from consentledger.ledger.sent import FLAGS, STATUSES
from consentledger.sends import queries, rules, service
from consentledger.sends.answers import found_answer, reported_answer
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.services import installation

blueprint = ApiBlueprint("sends", __name__, "Report what became of permitted messages")


class _Described(Schema):
    """A schema that only describes: what it loads is read by the slice's own rules."""

    def load(self, data: Any, **_options: Any) -> Any:
        """Returns the body as it came."""
        return data

    def dump(self, obj: Any, **_options: Any) -> Any:
        """Returns the answer as the slice made it."""
        return obj


class SendIn(_Described):
    """What became of one permitted message."""

    permit = fields.String(required=True, metadata={"description": "the permit's id"})
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    message_id = fields.String(metadata={"description": "kept as its SHA-256 only"})
    at = fields.DateTime(metadata={"description": "when; default: now"})
    list_headers_hash = fields.String(
        metadata={"description": "SHA-256 (hex) over both list headers, as docs/sends.md says"}
    )


class SendsIn(_Described):
    """Reports, at most 10,000."""

    sends = fields.List(
        fields.Nested(SendIn), required=True, validate=validate.Length(1, rules.MAX_SENDS)
    )


class RecordedSchema(Schema):
    """One report as it stands in the log."""

    permit = fields.String()
    status = fields.String(validate=validate.OneOf(STATUSES))
    at = fields.DateTime()
    report = fields.String(metadata={"description": "its id: entry and row"})
    entry_index = fields.Integer()
    repeated = fields.Boolean(metadata={"description": "it was told before, in that entry"})
    flags = fields.List(fields.String(validate=validate.OneOf(FLAGS)))


class ReportedSchema(_Described):
    """What the reports became, in the order of telling."""

    count = fields.Integer()
    recorded = fields.Integer(metadata={"description": "how many were new"})
    meaning = fields.String()
    sends = fields.List(fields.Nested(RecordedSchema))


class FindIn(Schema):
    """A Message-ID; it stands in the body, since it may hold an address."""

    message_id = fields.String(required=True)


class SentProofSchema(Schema):
    """The report's line, its path in the batch, the batch's entry, and its path in the log."""

    batch = fields.Integer(metadata={"description": "index of the batch's entry"})
    row = fields.Integer()
    count = fields.Integer()
    disclosure = fields.String()
    path = fields.List(fields.String())
    leaf = fields.String()
    tlog_proof = fields.String(allow_none=True)


class FoundSchema(Schema):
    """A report that names the message, and the permit that it is about."""

    permit = fields.String(metadata={"description": "GET /permits/{permit} has its own proof"})
    report = fields.String()
    permitted = fields.Boolean()
    basis = fields.String(allow_none=True)
    status = fields.String(validate=validate.OneOf(STATUSES))
    at = fields.DateTime()
    flags = fields.List(fields.String(validate=validate.OneOf(FLAGS)))
    proof = fields.Nested(SentProofSchema)


class FindAnswer(Schema):
    """Every report that names the message; none: nobody reported it here."""

    message_id_hash = fields.String()
    meaning = fields.String()
    found = fields.List(fields.Nested(FoundSchema))


REPORTED = ReportedSchema()


@blueprint.operation("POST", "/sends", scope="sends:write", takes=SendsIn(), gives=REPORTED)
def report_sends(body: Mapping[str, Any]) -> Response:
    """Record what became of permitted messages: sent, skipped or failed; what does not fit a permit is flagged."""
    key = caller()
    command = rules.read_sends(body, key.organisation_id, key.actor)
    return act(lambda tx: reported_answer(service.report(tx, command)), REPORTED)


@blueprint.operation(
    "POST", "/permits:find", scope="permits:read", takes=FindIn(), gives=FindAnswer()
)
def find_permits(body: Mapping[str, Any]) -> Response:
    """Find the permits under which a message was reported, by its Message-ID, with the reports' proofs."""
    message_hash = rules.hash_of(body["message_id"])
    organisation_id, tiles = caller().organisation_id, installation().tiles
    with reading() as session:
        places = queries.places_by_message(session, organisation_id, message_hash)
        found = [
            proof
            for number in dict.fromkeys(batch for batch, _ in places)
            for proof in queries.proofs(
                session,
                organisation_id,
                number,
                [row for batch, row in places if batch == number],
                tiles,
            )
        ]
    return answer(found_answer(message_hash, found))
