"""Portugal: law 41/2004 art. 13-A and 13-B."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

OPT_IN = "law 41/2004 art. 13-A(1)"
COMPANIES = "law 41/2004 art. 13-A(2), 13-B"
CUSTOMERS = "law 41/2004 art. 13-A(3)"
LOOKED = imported("PT-DGC")

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "refused at collection",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "sold by another company",
        CUSTOMERS,
        "deny",
        sale(without="same_person"),
        codes=("other_seller",),
    ),
    Case("a company, the list looked into", COMPANIES, "allow", company(), LOOKED, basis="opt_out"),
    Case(
        "a company on the list",
        COMPANIES,
        "deny",
        company(listed=("PT-DGC",)),
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a company, the list not looked into",
        COMPANIES,
        "deny",
        company(),
        codes=("register_stale",),
    ),
    Case(
        "a company, the list of two months ago",
        COMPANIES,
        "deny",
        company(),
        imported("PT-DGC", at=SEND_AT - timedelta(days=61)),
        codes=("register_stale",),
    ),
    Case(
        "a company, the list of 30 days ago",
        COMPANIES,
        "allow",
        company(),
        imported("PT-DGC", at=SEND_AT - timedelta(days=30)),
        basis="opt_out",
    ),
    Case(
        "a company with consent needs no list",
        COMPANIES,
        "allow",
        company(**agreed()),
        basis="consent",
    ),
    Case(
        "a company that objected",
        COMPANIES,
        "deny",
        company(objection="active"),
        LOOKED,
        codes=("objected",),
    ),
    Case(
        "a company by SMS, the list not looked into",
        COMPANIES,
        "deny",
        company(),
        {"channel": "sms"},
        codes=("register_stale",),
    ),
)
