"""Austria: TKG 2021 § 174, and the ECG list."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

OPT_IN = "TKG 2021 § 174(3)"
CUSTOMERS = "TKG 2021 § 174(4)"
LIST = "ECG § 7(2)"
PROOF = "DSB D130.073/0008"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case(
        "a customer not on the list",
        LIST,
        "allow",
        sale(),
        imported("AT-ECG"),
        basis="existing_customer",
    ),
    Case(
        "a customer on the list",
        LIST,
        "deny",
        sale() | {"listed": ("AT-ECG",)},
        imported("AT-ECG"),
        codes=("register_listed",),
    ),
    Case("the list was never looked into", LIST, "deny", sale(), codes=("register_stale",)),
    Case(
        "a copy of 23 hours ago",
        LIST,
        "allow",
        sale(),
        imported("AT-ECG", at=SEND_AT - timedelta(hours=23)),
        basis="existing_customer",
    ),
    Case(
        "a copy of 25 hours ago",
        LIST,
        "deny",
        sale(),
        imported("AT-ECG", at=SEND_AT - timedelta(hours=25)),
        codes=("register_stale",),
    ),
    Case(
        "consent goes before the list", LIST, "allow", agreed(listed=("AT-ECG",)), basis="consent"
    ),
    Case(
        "the list holds no phone numbers",
        LIST,
        "allow",
        sale(),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "a customer that is a company",
        CUSTOMERS,
        "allow",
        company(**sale()),
        imported("AT-ECG"),
        basis="existing_customer",
    ),
    Case(
        "no refusal offered",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        imported("AT-ECG"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "other products",
        CUSTOMERS,
        "deny",
        sale(relation="other"),
        imported("AT-ECG"),
        codes=("products_not_similar",),
    ),
    Case(
        "another seller",
        CUSTOMERS,
        "deny",
        sale(without="same_person"),
        imported("AT-ECG"),
        codes=("other_seller",),
    ),
    Case(
        "only an inquiry",
        CUSTOMERS,
        "deny",
        sale(trigger="inquiry"),
        imported("AT-ECG"),
        codes=("trigger_not_covered",),
    ),
    Case("a confirmed sign-up", PROOF, "allow", agreed(), basis="consent"),
    Case(
        "a sign-up that nobody confirmed",
        PROOF,
        "deny",
        agreed(grade="single_opt_in"),
        codes=("double_opt_in_missing",),
    ),
)
