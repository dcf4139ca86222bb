"""Hungary: Grt. § 6; a draft, so nothing goes without consent."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "Grt. § 6, read strictly"
NO_EXCEPTION = "Grt. § 6: no customer exception; a draft has none"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "consent",
        OPT_IN,
        "allow",
        agreed(),
        basis="consent",
        duties=("postal_address", "contact_channel"),
    ),
    Case("a customer, by the book", NO_EXCEPTION, "deny", sale(), codes=("exception_off",)),
    Case(
        "a customer, by SMS",
        NO_EXCEPTION,
        "deny",
        sale(),
        {"channel": "sms"},
        codes=("exception_off",),
    ),
    Case("a company without consent", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case("info@ of a company", OPT_IN, "deny", company("impersonal"), codes=("no_basis",)),
)
