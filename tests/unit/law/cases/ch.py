"""Switzerland: UWG art. 3(1)(o)."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

LAW = "UWG art. 3(1)(o)"
SMS = {"channel": "sms"}

CASES = (
    Case("neither consent nor sale", LAW, "deny", codes=("no_basis",)),
    Case("a firm is protected too", LAW, "deny", company(), codes=("no_basis",)),
    Case(
        "consent",
        LAW,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out"),
        absent=("subject_label",),
    ),
    Case("a sale, similar goods", LAW, "allow", sale(), basis="existing_customer"),
    Case(
        "a firm that bought, by text",
        LAW,
        "allow",
        sale() | company(),
        SMS,
        basis="existing_customer",
    ),
    Case("other goods", LAW, "deny", sale(relation="other"), codes=("products_not_similar",)),
    Case(
        "the customer was not told how to refuse",
        LAW,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "no sale, only talks",
        LAW,
        "deny",
        sale(trigger="negotiation"),
        codes=("trigger_not_covered",),
    ),
    Case("refused later", LAW, "deny", sale() | {"objection": "active"}, codes=("objected",)),
)
