"""Israel: Communications Law s. 30A."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

CONSENT = "Communications Law s. 30A(b)"
CUSTOMERS = "Communications Law s. 30A(c)"
TOLD = "Communications Law s. 30A(c)(1): told that it will be used for advertising"
ENDED = "Communications Law s. 30A, amendment 66: ending an ongoing transaction is a refusal"
LABEL = "Communications Law s. 30A(e): the word stands in an e-mail's title"
ONCE = "Communications Law s. 30A(b): one request to a business; no record shows it is the first (strict)"
SMS = {"channel": "sms"}


def contract(ended_on: str | None = None) -> dict[str, object]:
    return sale("2025-01-01", ended_on=ended_on)


CASES = (
    Case("neither consent nor sale", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm is protected too", CONSENT, "deny", company(), codes=("no_basis",)),
    Case(
        "a request for consent to a firm",
        ONCE,
        "deny",
        company(),
        {"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    Case(
        "consent",
        LABEL,
        "allow",
        agreed(),
        basis="consent",
        duties=("subject_label=פרסומת", "postal_address", "contact_channel", "offer_opt_out"),
    ),
    Case(
        "a text carries no label",
        LABEL,
        "allow",
        agreed(),
        SMS,
        basis="consent",
        absent=("subject_label",),
    ),
    Case(
        "bought, and was told",
        CUSTOMERS,
        "allow",
        sale(),
        basis="existing_customer",
        duties=("subject_label=פרסומת",),
    ),
    Case(
        "negotiated, and was told",
        CUSTOMERS,
        "allow",
        sale(trigger="negotiation"),
        SMS,
        basis="existing_customer",
    ),
    Case("bought, and was not told", TOLD, "deny", sale(without="told"), codes=("not_told",)),
    Case(
        "no chance to refuse",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "other products", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
    Case(
        "a mere inquiry", CUSTOMERS, "deny", sale(trigger="inquiry"), codes=("trigger_not_covered",)
    ),
    Case("a contract that goes on", CUSTOMERS, "allow", contract(), basis="existing_customer"),
    Case(
        "a contract that ended",
        ENDED,
        "deny",
        contract("2026-11-01"),
        codes=("relationship_ended",),
    ),
    Case(
        "consent from before the contract's end",
        ENDED,
        "deny",
        contract("2026-11-01") | agreed("2026-06-01"),
        codes=("relationship_ended",),
    ),
    Case(
        "consent on the day of the contract's end (strict reading)",
        ENDED,
        "deny",
        contract("2026-11-01") | agreed("2026-11-01"),
        codes=("relationship_ended",),
    ),
    Case(
        "consent after the contract's end",
        ENDED,
        "allow",
        contract("2026-11-01") | agreed("2026-11-02"),
        basis="consent",
    ),
    Case(
        "refused",
        "Communications Law s. 30A(d)",
        "deny",
        sale() | {"objection": "active"},
        codes=("objected",),
    ),
)
