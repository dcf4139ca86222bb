"""What the API answers about permits: plain values, made row by row from what a batch shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from consentledger.kernel.clock import to_text
from consentledger.kernel.tokens import Tokens
from consentledger.permits.headers import list_unsubscribe, shared_headers
from consentledger.permits.lines import Row
from consentledger.permits.links import PermitId, batch_text, link_base, permit_ids, unsubscribe_url
from consentledger.permits.queries import Batch, PermitProof
from consentledger.permits.rechecks import Dead
from consentledger.permits.rules import MEANING
from consentledger.permits.rulings import Ruling
from consentledger.permits.service import Issued


def issued_answer(issued: Issued, tokens: Tokens, base_url: str) -> dict[str, Any]:
    """Returns the answer to POST /permits: one element of `permits` per recipient, in the order of asking.

    The elements are JSON already (`orjson.Fragment`).
    """
    allowed = [ruling.verdict.allowed for ruling in issued.rulings]
    return {
        **batch_answer(issued),
        "count": len(issued.rows),
        "allowed": sum([allowed[row.verdict] for row in issued.rows]),
        "permits": [orjson.Fragment(row) for row in encoded_rows(issued, tokens, base_url)],
    }


def batch_answer(issued: Issued) -> dict[str, Any]:
    """Returns what an answer tells of the batch as a whole."""
    return {
        "batch": batch_text(issued.batch),
        "entry_index": issued.entry_index,
        "issued_at": to_text(issued.issued_at),
        "valid_until": to_text(issued.valid_until_at),
        "meaning": MEANING,
    }


def links_and_headers(issued: Issued, base_url: str) -> tuple[str, dict[str, str]]:
    """Returns what each unsubscribe link of a batch begins with, and the fields its messages share."""
    command, frame = issued.command, issued.frame
    base = link_base(frame.link_host, base_url)
    return base, shared_headers(
        base=base,
        organisation_number=frame.organisation_number,
        sender_id=command.sender_id,
        purpose_id=command.purpose_id,
        from_address=frame.from_address,
        campaign=command.campaign,
    )


def encoded_rows(issued: Issued, tokens: Tokens, base_url: str) -> list[bytes]:
    """Returns one JSON object per recipient, in the order of asking.

    What the rows of a ruling share is encoded once. A denial and a message that is no marketing have no link and no
    list headers.
    """
    frame = issued.frame
    base, shared = links_and_headers(issued, base_url)
    behind = b'"' + (b"," + orjson.dumps(shared)[1:] if shared else b"}") + b"}"
    endings = [_ending(ruling, issued.valid_until_at) for ruling in issued.rulings]
    linked = [_has_link(ruling) for ruling in issued.rulings]
    ids = permit_ids(frame.organisation_number, issued.batch, range(len(issued.rows)))
    link_ids = PermitId(frame.organisation_number, issued.batch, 0).to_bytes()[:10]
    rows = []
    for number, (row, address) in enumerate(
        zip(issued.rows, issued.command.recipients, strict=True)
    ):
        start = b'{"address":%b,"permit":"%b",%b' % (
            orjson.dumps(address),
            ids[number].encode("ascii"),
            endings[row.verdict],
        )
        if linked[row.verdict]:
            url = unsubscribe_url(base, tokens, link_ids + number.to_bytes(2, "big"))
            told = (url.encode("ascii"), list_unsubscribe(url).encode("ascii"), behind)
            rows.append(
                start + b'"unsubscribe_url":"%b","headers":{"List-Unsubscribe":"%b%b' % told
            )
        else:
            rows.append(start + b'"unsubscribe_url":null,"headers":{}}')
    return rows


def _has_link(ruling: Ruling) -> bool:
    return ruling.verdict.allowed and ruling.verdict.basis != "service"


def _ending(ruling: Ruling, until: datetime) -> bytes:
    """The members that all rows of a ruling share, with a comma at the end."""
    return orjson.dumps({**_decision(ruling), "valid_until": ruling.end_text(until)})[1:-1] + b","


def _decision(ruling: Ruling) -> dict[str, Any]:
    verdict = ruling.verdict
    return {
        "verdict": verdict.verdict,
        "allowed": verdict.allowed,
        "basis": verdict.basis,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "duties": [duty._asdict() for duty in verdict.duties],
    }


def permit_answer(batch: Batch, row: Row, proof: PermitProof, state: str) -> dict[str, Any]:
    """Returns the answer to GET /permits/{id}: what was decided, from which facts, about which message, and its proof.

    `state` is valid, expired, stopped, voided, denied or log_frozen, as it is now. No address: the contact is an id.
    """
    ruling = batch.rulings[row.verdict]
    return {
        "permit": str(proof.permit_id),
        "state": state,
        "batch": batch_text(batch.batch),
        "row": proof.permit_id.row,
        "contact": str(row.contact_id) if row.contact_id else None,
        "message": _message(batch),
        "facts": _facts(ruling),
        **_decision(ruling),
        "packs": list(ruling.verdict.packs),
        "issued_at": to_text(batch.issued_at),
        "valid_until": ruling.end_text(batch.valid_until_at),
        "meaning": MEANING,
        "proof": {
            **proof.bundle_member(),
            "count": proof.count,
            "leaf": proof.leaf.decode("ascii"),
            "tlog_proof": proof.log.to_text() if proof.log else None,
        },
    }


def _message(batch: Batch) -> dict[str, Any]:
    """The facts of the message as the batch's entry commits them; a first edition's one pack among `packs`."""
    kept = batch.message
    if batch.is_first:
        told = {"class": kept["class"], "campaign": kept["campaign"]}
        told["packs"] = [f"{kept['pack']} {kept['pack_hash']}"]
    else:
        told = dict(kept)
    return {
        "sender": str(batch.sender_id),
        "purpose": str(batch.purpose_id),
        "channel": batch.channel,
        **told,
    }


def _facts(ruling: Ruling) -> dict[str, Any]:
    """The facts of one recipient; a ground by the number of the contact's entry that recorded it."""
    facts = ruling.facts._asdict()
    customer = ruling.facts.customer
    facts["customer"] = {**customer._asdict(), "entry": ruling.entry} if customer else None
    return facts


def recheck_answer(asked: Sequence[str], dead: Sequence[Dead]) -> dict[str, Any]:
    """Returns the answer to POST /permits:recheck: the ids that must not be used (any more), and why."""
    return {
        "checked": len(asked),
        "dead": [{"permit": item.permit, "reason": item.reason} for item in dead],
        "meaning": MEANING,
    }
