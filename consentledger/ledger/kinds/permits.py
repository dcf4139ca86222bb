"""Kinds about permits: one entry per batch, with the root over its permit lines."""

from __future__ import annotations

from consentledger.ledger.kinds.model import Field, make_kind, maybe, text, texts, time

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
    make_kind(
        "permits.issued",
        "A batch of decisions whether one message may go to each of many recipients, by the packs that protect each.",
        text("batch"),
        text("sender"),
        text("purpose"),
        text("channel"),
        text("class"),
        texts("contains"),
        texts("categories"),
        Field("categories_version", "int", nullable=True),
        maybe("campaign"),
        maybe("tracking"),
        time("send_at"),
        texts("registers"),
        texts("packs"),
        time("valid_until"),
        plain=("count", "root"),
        version=2,
    ),
    make_kind(
        "permits.voided",
        "The organisation took permits of a batch back before they were used; a stop needs none of this.",
        text("batch"),
        texts("permits"),
        text("reason"),
    ),
    make_kind(
        "message.sent",
        "A batch of reports what became of permitted messages: sent, skipped or failed, as the organisation says.",
        text("batch"),
        plain=("count", "root"),
    ),
)
