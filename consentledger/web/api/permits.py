"""POST /permits, /permits:recheck, /permits:void and GET /permits/{id}: may this message go to this person?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from consentledger.accounts import idempotency
from consentledger.kernel.clock import now
from consentledger.kernel.errors import NotFoundError
from consentledger.permits import queries, rechecks, service, voiding
from consentledger.permits import reading as asked
from consentledger.permits.answers import issued_answer, permit_answer, recheck_answer
from consentledger.permits.bulk.answers import CSV, NDJSON
from consentledger.permits.links import PermitId
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued
from consentledger.web.api import permits_bulk
from consentledger.web.api.acting import REPLAYED, act, answer, reading, repeatable
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import Also, ApiBlueprint
from consentledger.web.api.permit_shapes import (
    PermitBatchSchema,
    PermitQuestion,
    PermitSchema,
    RecheckAnswer,
    RecheckQuestion,
    VoidAnswer,
    VoidQuestion,
)
from consentledger.web.services import installation

blueprint = ApiBlueprint(
    "permits", __name__, "Ask whether messages may go out; links, headers, proofs"
)


@blueprint.operation(
    "POST",
    "/permits",
    scope="permits:write",
    takes=PermitQuestion(),
    gives=PermitBatchSchema(),
    also=Also(NDJSON, (NDJSON, CSV), permits_bulk.stream),
)
def issue_permits(body: Mapping[str, Any]) -> Response:
    """Decides for each recipient whether one message may go out, with its link and headers if it may."""
    if "audience" in body:
        return permits_bulk.to_audience(body)
    key = caller()
    issued, repeated = _issued(asked.read_message(body, key.organisation_id, key.actor, now()))
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


@blueprint.operation(
    "POST", "/permits:void", scope="permits:write", takes=VoidQuestion(), gives=VoidAnswer()
)
def void_permits(body: Mapping[str, Any]) -> Response:
    """Takes permits back before they are used; recorded, and final."""
    key = caller()
    command = voiding.read_void(body, key.organisation_id, key.actor)
    return act(lambda tx: {"voided": voiding.void(tx, command)}, VoidAnswer())


@blueprint.operation("GET", "/permits/<permit>", scope="permits:read", gives=PermitSchema())
def get_permit(permit: str) -> Response:
    """Tells one permit with its proof, by its id, which is also the first part of its unsubscribe link's token."""
    permit_id = PermitId.parse(permit)
    if permit_id is None:
        raise NotFoundError("no such permit")
    organisation_id = caller().organisation_id
    with reading() as session:
        proof = queries.permit_proof(session, organisation_id, permit_id, installation().tiles)
        batch = queries.batch(session, organisation_id, permit_id.batch)
        row = queries.row(session, organisation_id, permit_id)
        dead = rechecks.dead_by_now(session, organisation_id, [permit], now())
    if _frozen():
        dead = rechecks.all_frozen([permit])
    return answer(permit_answer(batch, row, proof, dead[0].reason if dead else "valid"))


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
