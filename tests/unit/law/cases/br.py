"""Brazil: LGPD arts. 7 and 10, and the senders' own code."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

CONSENT = "LGPD art. 7 I, art. 8"
INTEREST = "LGPD art. 7 IX, art. 10; CAPEM: existing relation"
FIRMS = "no rule on firms (strict reading)"

CASES = (
    Case("neither consent nor relation", CONSENT, "deny", codes=("no_basis",)),
    Case(
        "consent",
        CONSENT,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "contact_channel"),
    ),
    Case("a firm", FIRMS, "deny", company(), codes=("no_basis",)),
    Case("a customer, similar products", INTEREST, "allow", sale(), basis="existing_customer"),
    Case(
        "a relation that goes on",
        INTEREST,
        "allow",
        sale(trigger="ongoing_relationship"),
        basis="existing_customer",
    ),
    Case(
        "a customer, other products",
        INTEREST,
        "deny",
        sale(relation="other"),
        codes=("products_not_similar",),
    ),
    Case(
        "a customer who was offered no refusal",
        INTEREST,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "objected",
        "LGPD art. 18 § 2",
        "deny",
        sale() | {"objection": "active"},
        codes=("objected",),
    ),
    Case(
        "a text without relation",
        "LGPD; Anatel Res. 765/2023",
        "deny",
        message={"channel": "sms"},
        codes=("no_basis",),
    ),
)
