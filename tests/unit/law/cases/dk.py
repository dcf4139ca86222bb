"""Denmark: markedsføringsloven § 10."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "markedsføringsloven § 10(1)"
CUSTOMERS = "markedsføringsloven § 10(2)"
GUIDANCE = "Forbrugerombudsmanden, guidance on spam"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case("a general business address", OPT_IN, "deny", company("impersonal"), codes=("no_basis",)),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a company that is a customer",
        CUSTOMERS,
        "allow",
        company(**sale()),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "no opt-out at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "unused for a year",
        GUIDANCE,
        "allow",
        agreed("2025-11-23"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "used within the year",
        GUIDANCE,
        "allow",
        agreed("2025-11-23", sent_on="2026-02-01"),
        basis="consent",
        absent=("refresh_consent",),
    ),
    Case(
        "the Robinson list is for letters and calls",
        "Robinsonlisten",
        "allow",
        sale() | {"listed": ("DK-ROBINSON",)},
        basis="existing_customer",
    ),
)
