"""Belgium: Code of economic law XII.13 and the royal decree of 4 April 2003."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "Code of economic law art. XII.13"
CUSTOMERS = "royal decree of 4 April 2003 art. 1, 1°"
IMPERSONAL = "royal decree of 4 April 2003 art. 1, 2°"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "info@ of a company",
        IMPERSONAL,
        "allow",
        company("impersonal"),
        basis="opt_out",
        duties=("offer_opt_out",),
    ),
    Case(
        "a colleague's address", IMPERSONAL, "deny", company("role_relevant"), codes=("no_basis",)
    ),
    Case(
        "a company, unknown which address",
        IMPERSONAL,
        "deny",
        company("unknown"),
        codes=("no_basis",),
    ),
    Case(
        "a person's address like info@",
        IMPERSONAL,
        "deny",
        {"capacity": "impersonal"},
        codes=("no_basis",),
    ),
    Case(
        "info@ that said no",
        IMPERSONAL,
        "deny",
        company("impersonal", closed=True),
        codes=("no_basis",),
    ),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a company that is a customer",
        CUSTOMERS,
        "allow",
        company(**sale()),
        basis="existing_customer",
    ),
    Case(
        "an address not obtained directly",
        CUSTOMERS,
        "deny",
        sale(without="directly"),
        codes=("not_collected_directly",),
    ),
    Case(
        "refused at the sale",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "not similar",
        CUSTOMERS,
        "deny",
        company(**sale(relation="other")),
        codes=("products_not_similar",),
    ),
    Case(
        "a stop is acknowledged",
        "royal decree of 4 April 2003 art. 2",
        "allow",
        agreed(),
        basis="consent",
        duties=("acknowledge_stop", "recognisable_as_advertising=publicité / reclame"),
    ),
)
