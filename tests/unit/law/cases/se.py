"""Sweden: marknadsföringslagen §§ 19 to 21."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "marknadsföringslagen § 19"
CUSTOMERS = "marknadsföringslagen § 19, second paragraph"
COMPANIES = "marknadsföringslagen §§ 19 to 21"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("consent", OPT_IN, "allow", agreed(), basis="consent"),
    Case(
        "a company",
        COMPANIES,
        "allow",
        company("unknown"),
        basis="opt_out",
        duties=("offer_opt_out", "contact_channel"),
    ),
    Case("a company by SMS", COMPANIES, "allow", company(), {"channel": "sms"}, basis="opt_out"),
    Case(
        "a company that said stop",
        "marknadsföringslagen § 21",
        "deny",
        company(objection="active"),
        codes=("objected",),
    ),
    Case(
        "a company that said no at a sale",
        "marknadsföringslagen § 21",
        "deny",
        company(closed=True),
        codes=("no_basis",),
    ),
    Case(
        "a sole trader is a natural person",
        COMPANIES,
        "deny",
        {"person": "sole_trader", "capacity": "role_relevant"},
        codes=("no_basis",),
    ),
    Case(
        "company or sole trader unknown",
        COMPANIES,
        "deny",
        {"person": "unknown"},
        codes=("no_basis",),
    ),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a sole trader that is a customer",
        CUSTOMERS,
        "allow",
        sale() | {"person": "sole_trader"},
        basis="existing_customer",
    ),
    Case(
        "no opt-out at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case("not similar", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)),
)
