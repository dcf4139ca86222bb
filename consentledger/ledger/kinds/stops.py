"""Kinds about objections: the word `stop`, in whatever way it was said."""

from __future__ import annotations

from consentledger.ledger.kinds.model import make_kind, maybe, text, time

STOP_KINDS = (
    make_kind(
        "objection.recorded",
        "A person said stop, for one purpose, one sender or the whole organisation.",
        text("scope"),
        maybe("sender"),
        maybe("purpose"),
        text("channel"),
        text("method"),
        time("until", nullable=True),
        maybe("permit"),
        contact=True,
    ),
)
