"""Norway: markedsføringsloven § 15."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "markedsføringsloven § 15(1)"
CUSTOMERS = "markedsføringsloven § 15(3)"
FIRMS = "Forbrukertilsynet, guidance on § 15"

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
    Case("post@ of a firm", FIRMS, "allow", company("impersonal"), basis="opt_out"),
    Case(
        "a personal address at work", FIRMS, "deny", company("role_relevant"), codes=("no_basis",)
    ),
    Case(
        "a phone that one person uses",
        FIRMS,
        "deny",
        company("role_relevant"),
        {"channel": "sms"},
        codes=("no_basis",),
    ),
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
        "a competition is no sale",
        CUSTOMERS,
        "deny",
        sale(trigger="inquiry"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "a free account is no sale",
        CUSTOMERS,
        "deny",
        sale(trigger="sale_indirect_remuneration"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "not corresponding",
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
    Case(
        "a customer who said stop",
        CUSTOMERS,
        "deny",
        sale() | {"closed": True},
        codes=("exception_closed",),
    ),
)
