"""Kinds about existing customers: evidence for the exception of art. 13(2), which is never consent."""

from __future__ import annotations

from consentledger.ledger.kinds.model import Field, blob, make_kind, maybe, text, texts

CUSTOMER_KINDS = (
    make_kind(
        "customer.recorded",
        "A sale or negotiation, and how the address came: what the existing-customer exception rests on.",
        text("customer"),
        text("channel"),
        text("trigger"),
        text("on"),
        maybe("ended_on"),
        text("reference"),
        texts("categories"),
        text("seller"),
        text("obtained_from"),
        Field("offered_at_collection", "bool"),
        blob("wording", nullable=True),
        Field("refused_at_collection", "bool"),
        Field("told_use_for_advertising", "bool"),
        maybe("country"),
        text("person"),
        text("capacity"),
        text("method"),
        maybe("source"),
        Field("row", "int", nullable=True),
        contact=True,
    ),
    make_kind(
        "customer.objected",
        "The person objected to marketing as an existing customer, on this channel, for good.",
        text("channel"),
        text("method"),
        maybe("permit"),
        contact=True,
    ),
    make_kind(
        "customer.lapsed",
        "A recorded relationship ended on a day, or the organisation took a recorded ground back.",
        text("customer"),
        text("channel"),
        text("reason"),
        maybe("ended_on"),
        contact=True,
    ),
)
