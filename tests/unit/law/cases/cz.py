"""Czechia: act 480/2004 § 7."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "act 480/2004 § 7(2)"
CUSTOMERS = "act 480/2004 § 7(3)"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company("impersonal"), codes=("no_basis",)),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a company that is a customer, by SMS",
        CUSTOMERS,
        "allow",
        company(**sale()),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "refused at the start",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "other products", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
    Case(
        "the words for advertising",
        "act 480/2004 § 7(4)(a)",
        "allow",
        agreed(),
        basis="consent",
        duties=("recognisable_as_advertising=obchodní sdělení",),
        absent=("subject_label",),
    ),
)
