"""GET /r/<token>: leaf hash, index and proof of one act; never what the entry says."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.log.tree import TreeReader
from consentledger.db.models import LogHead
from consentledger.db.signing.checkpoints import latest_checkpoint
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import pack_link, unpack_link
from consentledger.ledger.note import split_note
from consentledger.ledger.proof import TlogProof, parse_tlog_proof
from consentledger.organisations.models import Organisation
from consentledger.web import rendering
from consentledger.web.access import capability, link_id
from consentledger.web.public.pages import ReceiptPage
from consentledger.web.services import installation

blueprint = Blueprint("receipt", __name__)
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt may say; `proof` is null until a checkpoint covers the entry."""

    origin: str
    index: int
    leaf_hash: bytes
    size: int | None
    proof: str | None


@blueprint.get("/r/<token>")
@capability("receipt")
def receipt(token: str) -> Response:
    """Show the receipt of one entry."""
    found = _read(link_id("receipt", token))
    page = ReceiptPage(
        language=rendering.speak(),
        origin=found.origin,
        index=found.index,
        leaf_hash=found.leaf_hash.hex(),
        checkpoint_size=found.size,
        proof=found.proof,
        verifier_key=_key_of(found.origin, found.proof) if found.proof else None,
        download=f"/r/{token}/proof" if found.proof else None,
    )
    return rendering.answer(page)


@blueprint.get("/r/<token>/proof")
@capability("receipt")
def proof(token: str) -> Response:
    """Answer the proof alone, as a file (c2sp.org/tlog-proof@v1)."""
    found = _read(link_id("receipt", token))
    if found.proof is None:
        raise NotFoundError("not signed yet; try again in a few seconds")
    response = Response(found.proof, content_type=TEXT)
    name = f"entry-{found.index}.tlog-proof"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def receipt_path(organisation_number: int, index: int) -> str:
    """The address of the receipt of one entry."""
    token = installation().tokens.make(
        "receipt", pack_link(organisation_number, index.to_bytes(8, "big"))
    )
    return f"/r/{token}"


def _key_of(origin: str, proof: str) -> str:
    """The newest of our keys that signed the proof's checkpoint."""
    signed = {hash_ for _, hash_, _ in split_note(parse_tlog_proof(proof).checkpoint)[1]}
    verifiers = installation().signer.signers.verifiers(origin)
    return next((v.vkey for v in verifiers if v.hash in signed), verifiers[0].vkey)


def _read(receipt_id: bytes) -> Receipt:
    number, rest = unpack_link(receipt_id)
    index = int.from_bytes(rest, "big")
    query = (
        select(Organisation.organisation_id, LogHead.origin, LogHead.size)
        .join(LogHead, LogHead.organisation_id == Organisation.organisation_id)
        .where(Organisation.number == number)
    )
    with installation().database.read() as session:
        row = session.execute(query).one_or_none()
        if row is None or index >= row.size:
            raise NotFoundError("no such entry")
        return _receipt(session, row.organisation_id, row.origin, index)


def _receipt(session: Session, organisation_id: UUID, origin: str, index: int) -> Receipt:
    tree = TreeReader(session, organisation_id, installation().tiles)
    checkpoint = latest_checkpoint(session, organisation_id)
    if checkpoint is None or checkpoint.size <= index:
        return Receipt(origin, index, tree.leaf_hash(index), None, None)
    path = tuple(tree.inclusion_proof(index, checkpoint.size))
    text = TlogProof(index, path, checkpoint.note).to_text()
    return Receipt(origin, index, tree.leaf_hash(index), checkpoint.size, text)
