"""Kinds about permits: one entry per batch, with the root over its permit lines."""

from __future__ import annotations

from consentledger.ledger.kinds.model import make_kind, maybe, text, time

PERMIT_KINDS = (
    make_kind(
        "permits.issued",
        "A batch of decisions whether one message may go to each of many recipients.",
        text("batch"),
        text("sender"),
        text("purpose"),
        text("channel"),
        text("class"),
        maybe("campaign"),
        text("pack"),
        text("pack_hash"),
        time("valid_until"),
        plain=("count", "root"),
    ),
)
