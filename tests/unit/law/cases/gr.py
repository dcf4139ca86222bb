"""Greece: law 3471/2006 art. 11."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "law 3471/2006 art. 11(1)"
CUSTOMERS = "law 3471/2006 art. 11(3)"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company("impersonal"), codes=("no_basis",)),
    Case("consent", OPT_IN, "allow", agreed(), basis="consent"),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a company that is a customer",
        CUSTOMERS,
        "allow",
        company(**sale()),
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
        "other products", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
)
