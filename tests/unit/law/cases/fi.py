"""Finland: act 917/2014 §§ 200 to 203."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "act 917/2014 § 200(1)"
CUSTOMERS = "act 917/2014 § 200(3)"
COMPANIES = "act 917/2014 § 202"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "consent",
        OPT_IN,
        "allow",
        agreed(),
        basis="consent",
        duties=("recognisable_as_advertising",),
    ),
    Case("at work, about the role", COMPANIES, "allow", company(), basis="opt_out"),
    Case(
        "at work, beside the role",
        COMPANIES,
        "deny",
        company("role_irrelevant"),
        codes=("no_basis",),
    ),
    Case("at work, objected", COMPANIES, "deny", company(objection="active"), codes=("objected",)),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a customer, by SMS",
        CUSTOMERS,
        "allow",
        sale(),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "another product group",
        CUSTOMERS,
        "deny",
        sale(relation="other"),
        codes=("products_not_similar",),
    ),
    Case(
        "no refusal offered",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
)
