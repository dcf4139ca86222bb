"""What the API answers about permits: plain values, made row by row from what a batch shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consentledger.kernel.clock import to_text
from consentledger.kernel.tokens import Tokens
from consentledger.ledger.first_permit import parse_first_permit
from consentledger.permits.headers import list_unsubscribe, shared_headers
from consentledger.permits.lines import Ruling
from consentledger.permits.links import PermitId, batch_text, link_base, permit_ids, unsubscribe_url
from consentledger.permits.queries import Batch, PermitProof
from consentledger.permits.rechecks import Dead
from consentledger.permits.rules import MEANING
from consentledger.permits.service import Issued


def issued_answer(issued: Issued, tokens: Tokens, base_url: str) -> dict[str, Any]:
    """Returns the answer to POST /permits: one element of `permits` per recipient, in the order of asking."""
    command, frame = issued.command, issued.frame
    base = link_base(frame.link_host, base_url)
    shared = shared_headers(
        base=base,
        organisation_number=frame.organisation_number,
        sender_id=command.sender_id,
        purpose_id=command.purpose_id,
        from_address=frame.from_address,
        campaign=command.campaign,
    )
    ids = permit_ids(frame.organisation_number, issued.batch, range(len(issued.rows)))
    until = to_text(issued.valid_until_at)
    endings = [_ending(ruling, until) for ruling in issued.rulings]
    link_ids = PermitId(frame.organisation_number, issued.batch, 0).to_bytes()[:10]
    permits = []
    for number, (row, address) in enumerate(zip(issued.rows, command.recipients, strict=True)):
        permit = {"address": address, "permit": ids[number], **endings[row.verdict]}
        if permit["allowed"]:
            url = unsubscribe_url(base, tokens, link_ids + number.to_bytes(2, "big"))
            permit["unsubscribe_url"] = url
            permit["headers"] = {"List-Unsubscribe": list_unsubscribe(url), **shared}
        permits.append(permit)
    return {
        "batch": batch_text(issued.batch),
        "entry_index": issued.entry_index,
        "issued_at": to_text(issued.issued_at),
        "valid_until": until,
        "count": len(permits),
        "allowed": sum(permit["allowed"] for permit in permits),
        "meaning": MEANING,
        "permits": permits,
    }


def _ending(ruling: Ruling, until: str) -> dict[str, Any]:
    verdict = ruling.verdict
    return {
        "allowed": verdict.allowed,
        "basis": verdict.basis,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "duties": list(verdict.duties),
        "valid_until": until if verdict.allowed else None,
        "unsubscribe_url": None,
        "headers": {},
    }


def permit_answer(batch: Batch, proof: PermitProof, state: str) -> dict[str, Any]:
    """Returns the answer to GET /permits/{id}: what was decided, about which message, and its proof.

    `state` is valid, expired, stopped, denied or log_frozen, as it is now. No address: the contact is an id.
    """
    permit = parse_first_permit(proof.disclosure)
    wanted = (permit.consent_state, permit.objection, permit.reasons)
    ruling = next(
        found
        for found in batch.rulings
        if (found.consent, found.objection, found.verdict.codes) == wanted
    )
    return {
        "permit": permit.permit,
        "state": state,
        "batch": batch_text(batch.batch),
        "row": permit.row,
        "contact": permit.contact,
        "sender": str(batch.sender_id),
        "purpose": str(batch.purpose_id),
        "channel": batch.channel,
        "class": batch.message["class"],
        "campaign": batch.message["campaign"],
        "pack": {"name": batch.message["pack"], "hash": batch.message["pack_hash"]},
        "consent": permit.consent_state,
        "objection": permit.objection,
        "allowed": permit.allowed,
        "basis": permit.basis,
        "reasons": [reason._asdict() for reason in ruling.verdict.reasons],
        "duties": list(ruling.verdict.duties),
        "issued_at": to_text(batch.issued_at),
        "valid_until": permit.valid_until,
        "meaning": MEANING,
        "proof": {
            **proof.bundle_member(),
            "count": proof.count,
            "leaf": proof.leaf.decode("ascii"),
            "tlog_proof": proof.log.to_text() if proof.log else None,
        },
    }


def recheck_answer(asked: Sequence[str], dead: Sequence[Dead]) -> dict[str, Any]:
    """Returns the answer to POST /permits:recheck: the ids that must not be used (any more), and why."""
    return {
        "checked": len(asked),
        "dead": [{"permit": item.permit, "reason": item.reason} for item in dead],
        "meaning": MEANING,
    }
