"""How the API tells what reports became, and what it finds by a Message-ID. Every word is kept to what it shows."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from consentledger.kernel.clock import to_text
from consentledger.sends.queries import SentProof
from consentledger.sends.service import Recorded

MEANING = (
    "`permitted` says what this service decided; `sent` is what you reported; that a message passed our own gate"
    " would be a third thing, which neither says. A message without a permit proves only that we did not permit it."
)


def reported_answer(recorded: Sequence[Recorded]) -> dict[str, Any]:
    """The answer to POST /sends, in the order of telling."""
    return {
        "count": len(recorded),
        "recorded": sum(not one.repeated for one in recorded),
        "meaning": MEANING,
        "sends": [
            {
                "permit": str(one.permit),
                "status": one.status,
                "at": to_text(one.at),
                "report": one.report,
                "entry_index": one.entry_index,
                "repeated": one.repeated,
                "flags": one.flags.split(",") if one.flags else [],
            }
            for one in recorded
        ],
    }


def found_answer(message_hash: bytes, found: Sequence[SentProof]) -> dict[str, Any]:
    """The answer to POST /permits:find: the reports that name a message, each with its proof."""
    return {
        "message_id_hash": message_hash.hex(),
        "meaning": MEANING,
        "found": [_found(one) for one in found],
    }


def _found(one: SentProof) -> dict[str, Any]:
    return {
        "permit": str(one.permit),
        "report": f"{one.entry_index}-{one.row}",
        "permitted": one.shape.basis is not None,
        "basis": one.shape.basis,
        "status": one.shape.status,
        "at": to_text(one.sent_at),
        "flags": one.shape.flags.split(",") if one.shape.flags else [],
        "proof": {
            **one.bundle_member(),
            "count": one.count,
            "leaf": b64encode(one.leaf).decode("ascii"),
            "tlog_proof": one.log.to_text() if one.log else None,
        },
    }
