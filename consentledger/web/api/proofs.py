"""GET /log/proofs/{index}: that an entry stands in the organisation's log, under a published checkpoint."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogCheckpoint
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.errors import NotFoundError
from consentledger.ledger.proof import TlogProof
from consentledger.web.api.acting import answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.services import installation

blueprint = ApiBlueprint("proofs", __name__, "Proofs that an entry stands in the log")
LARGEST = 2**53 - 1  # what JSON's readers agree on


class ProofQuery(Schema):
    """Under which checkpoint."""

    size = fields.Integer(
        load_default=None,
        validate=validate.Range(1, LARGEST),
        metadata={"description": "size of a published checkpoint; by default of the newest"},
    )


class ProofSchema(Schema):
    """An entry's place in the tree, checkable offline (RFC 9162 section 2.1.3, c2sp.org/tlog-proof)."""

    index = fields.Integer(required=True)
    leaf_hash = fields.String(required=True, metadata={"description": "in hexadecimal"})
    size = fields.Integer(required=True, metadata={"description": "of the checkpoint"})
    hashes = fields.List(
        fields.String(), required=True, metadata={"description": "the path upwards, in base64"}
    )
    checkpoint = fields.String(required=True, metadata={"description": "the whole signed note"})
    tlog_proof = fields.String(required=True, metadata={"description": "all of it as a proof file"})


@blueprint.operation(
    "GET", "/log/proofs/<index>", scope="evidence:read", query=ProofQuery(), gives=ProofSchema()
)
def get_proof(given: dict[str, Any], index: str) -> Response:
    """Prove that an entry stands in the log, by its index; 404 until a checkpoint covers it."""
    number = _number(index)
    with reading() as session:
        return answer(_proof(session, caller().organisation_id, number, given["size"]))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > LARGEST:
        raise NotFoundError("no such entry")
    return int(text)


def _proof(session: Session, organisation_id: UUID, index: int, size: int | None) -> dict[str, Any]:
    size, note = _checkpoint(session, organisation_id, size)
    if index >= size:
        raise NotFoundError(
            "no such entry below this checkpoint; a new one is signed every few seconds"
        )
    tree = TreeReader(session, organisation_id, installation().tiles)
    path = tuple(tree.inclusion_proof(index, size))
    return {
        "index": index,
        "leaf_hash": tree.leaf_hash(index).hex(),
        "size": size,
        "hashes": [base64.b64encode(one).decode("ascii") for one in path],
        "checkpoint": note,
        "tlog_proof": TlogProof(index, path, note).to_text(),
    }


def _checkpoint(session: Session, organisation_id: UUID, size: int | None) -> tuple[int, str]:
    """The wanted published checkpoint, else the newest: no root but a signed one is proved against."""
    if size is None:
        newest = latest_checkpoint(session, organisation_id)
        if newest is None:
            raise NotFoundError("nothing is signed yet; try again in a few seconds")
        return newest.size, newest.note
    found = session.get(LogCheckpoint, (organisation_id, size))
    if found is None:
        raise NotFoundError("no checkpoint of this size was published")
    return found.size, found.note
