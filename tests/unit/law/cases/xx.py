"""The fallback: the strictest reading, for places that no other adopted pack is for."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

STRICT = "promise 9: the strictest reading wins where facts are missing"
NOWHERE: dict[str, object] = {"countries": ()}
ARGENTINA = {"countries": ("AR",)}

CASES = (
    Case("nobody knows where, and no consent", STRICT, "deny", NOWHERE, codes=("no_basis",)),
    Case(
        "a confirmed sign-up",
        STRICT,
        "allow",
        agreed() | NOWHERE,
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "postal_address", "contact_channel"),
        absent=("subject_label",),
    ),
    Case("a country without a pack", STRICT, "allow", agreed() | ARGENTINA, basis="consent"),
    Case(
        "consent by one act",
        STRICT,
        "deny",
        agreed(grade="single_opt_in") | NOWHERE,
        codes=("double_opt_in_missing",),
    ),
    Case(
        "consent that the sender only asserts",
        STRICT,
        "deny",
        agreed(grade="attested") | NOWHERE,
        codes=("double_opt_in_missing",),
    ),
    Case("a customer", STRICT, "deny", sale() | NOWHERE, codes=("exception_off",)),
    Case(
        "a published address",
        STRICT,
        "deny",
        disclosed() | NOWHERE | {"capacity": "role_relevant"},
        codes=("exception_off",),
    ),
    Case("a firm", STRICT, "deny", company() | NOWHERE, codes=("no_basis",)),
    Case(
        "a text without consent", STRICT, "deny", NOWHERE, {"channel": "sms"}, codes=("no_basis",)
    ),
    Case(
        "a year without use",
        STRICT,
        "allow",
        agreed("2025-11-23") | NOWHERE,
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "a country whose pack was not adopted",
        STRICT,
        "deny",
        sale() | {"countries": ("DE",)},
        codes=("exception_off",),
        adopted=("XX",),
    ),
    Case(
        "a service message",
        STRICT,
        "allow",
        NOWHERE | {"objection": "active"},
        {"message_class": "service"},
        basis="service",
    ),
)
