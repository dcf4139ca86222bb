"""Batches of the first edition, as they are stored: their lines stay what they were, and are told in today's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from consentledger.law.model import Duty, Facts, Reason, Verdict
from consentledger.ledger.first_permit import HEADER
from consentledger.permits.rulings import Ruling

__all__ = ["FIRST_MESSAGE_FIELDS", "HEADER", "is_first", "line_end", "ruling"]
# The fields of permits.issued/1 that a batch's row keeps as its message.
FIRST_MESSAGE_FIELDS = ("class", "campaign", "pack", "pack_hash")
_ASSERTED = {"invalid_address": "invalid", "duplicate": "duplicate"}


def is_first(message: Mapping[str, Any]) -> bool:
    """Tells whether a batch was decided by the first edition's one pack, which its message names."""
    return "pack" in message


def line_end(kept: Mapping[str, Any], valid_until: str) -> str:
    """The last six values of a permit's disclosure of version 1 as JSON, from a verdict as it is kept."""
    values = [
        kept["consent"],
        kept["objection"],
        kept["allowed"],
        kept["basis"],
        _codes(kept),
        valid_until if kept["allowed"] else None,
    ]
    return orjson.dumps(values).decode()[1:]


def ruling(kept: Mapping[str, Any], pack: str) -> Ruling:
    """Returns a kept verdict as a ruling of today; what the first edition did not know is unknown.

    Its rows do not say whether they name a contact: what a denial's reasons assert is told, else `record`.
    """
    recipient = _ASSERTED.get(_codes(kept), "record")
    verdict = Verdict(
        "allow" if kept["allowed"] else "deny",
        kept["basis"],
        tuple(Reason(*reason) for reason in kept["reasons"]),
        tuple(Duty(code, None, "", "") for code in kept["duties"]),
        packs=(pack,),
    )
    facts = Facts(recipient=recipient, consent=kept["consent"], objection=kept["objection"])
    return Ruling(facts, None, verdict)


def _codes(kept: Mapping[str, Any]) -> str:
    return ",".join(reason[0] for reason in kept["reasons"])
