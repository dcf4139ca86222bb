"""Kinds about what keeps or opens evidence against the usual course: legal holds, restrictions."""

from __future__ import annotations

from consentledger.ledger.kinds.model import make_kind, text

ERASURE_KINDS = (
    make_kind(
        "hold.placed",
        "Nothing of this contact (null: of anybody) is destroyed from now on, for a legal claim or by order.",
        text("hold"),
        text("person"),
        text("reason"),
        contact=True,
    ),
    make_kind(
        "hold.released",
        "A legal hold ended: what it suspended goes on.",
        text("hold"),
        text("person"),
        contact=True,
    ),
    make_kind(
        "restriction.opened",
        "A named person opened evidence that was restricted for legal claims, for this reason.",
        text("erasure"),
        text("person"),
        text("reason"),
    ),
)
