"""Spain: LSSI art. 21, and the Robinson list."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

OPT_IN = "LSSI art. 21.1"
CUSTOMERS = "LSSI art. 21.2"
LIST = "LOPDGDD art. 23.4, strict reading for customers"
LOOKED = imported("ES-ROBINSON")

CASES = (
    Case("neither consent nor contract", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case("consent", OPT_IN, "allow", agreed(), basis="consent"),
    Case(
        "the stop's electronic address",
        CUSTOMERS,
        "allow",
        agreed(),
        basis="consent",
        duties=("electronic_stop_address",),
    ),
    Case("a customer not on the list", LIST, "allow", sale(), LOOKED, basis="existing_customer"),
    Case(
        "a customer by SMS, not on the list",
        LIST,
        "allow",
        sale(),
        LOOKED | {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "a customer on the list",
        LIST,
        "deny",
        sale() | {"listed": ("ES-ROBINSON",)},
        LOOKED,
        codes=("register_listed",),
    ),
    Case("the list was never looked into", LIST, "deny", sale(), codes=("register_stale",)),
    Case(
        "a copy of 31 days ago",
        LIST,
        "deny",
        sale(),
        imported("ES-ROBINSON", at=SEND_AT - timedelta(days=31)),
        codes=("register_stale",),
    ),
    Case(
        "a copy of 29 days ago",
        LIST,
        "allow",
        sale(),
        imported("ES-ROBINSON", at=SEND_AT - timedelta(days=29)),
        basis="existing_customer",
    ),
    Case(
        "consent goes before the list",
        LIST,
        "allow",
        agreed(listed=("ES-ROBINSON",)),
        basis="consent",
    ),
    Case(
        "a company that is a customer",
        CUSTOMERS,
        "allow",
        company(**sale()),
        LOOKED,
        basis="existing_customer",
    ),
    Case(
        "no way to object at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        LOOKED,
        codes=("no_opt_out_offered",),
    ),
    Case(
        "not similar",
        CUSTOMERS,
        "deny",
        sale(relation="other"),
        LOOKED,
        codes=("products_not_similar",),
    ),
    Case(
        "only an inquiry",
        CUSTOMERS,
        "deny",
        sale(trigger="inquiry"),
        LOOKED,
        codes=("trigger_not_covered",),
    ),
)
