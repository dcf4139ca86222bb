"""New Zealand: Unsolicited Electronic Messages Act 2007, ss. 4, 9 to 11."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

CONSENT = "UEMA 2007 s. 9"
INFERRED = "UEMA 2007 s. 4: consent inferred from a relationship"
DEEMED = "UEMA 2007 s. 4: deemed consent"
BUSINESS = {"capacity": "role_relevant"}


def member(**more: str) -> dict[str, object]:
    return sale("2020-05-01", trigger="ongoing_relationship", **more)


CASES = (
    Case("neither consent nor relationship", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm is protected too", CONSENT, "deny", company(), codes=("no_basis",)),
    Case(
        "express consent",
        CONSENT,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "contact_channel", "offer_opt_out"),
    ),
    Case("a relationship that goes on", INFERRED, "allow", member(), basis="existing_customer"),
    Case(
        "a relationship that ended",
        INFERRED,
        "deny",
        member(ended_on="2026-11-20"),
        codes=("relationship_ended",),
    ),
    Case(
        "a single purchase (strict reading)",
        INFERRED,
        "deny",
        sale(),
        codes=("trigger_not_covered",),
    ),
    Case(
        "a published address, about the role",
        DEEMED,
        "allow",
        disclosed() | BUSINESS,
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "a published address, beside the role",
        DEEMED,
        "deny",
        disclosed() | {"capacity": "role_irrelevant"},
        codes=("capacity_not_covered",),
    ),
    Case(
        "published with a refusal",
        DEEMED,
        "deny",
        sale(trigger="published_address", refused=True) | BUSINESS,
        codes=("refused_at_collection",),
    ),
    Case(
        "withdrawn",
        "UEMA 2007 s. 9(2)",
        "deny",
        member() | {"consent": "withdrawn"},
        codes=("withdrawn", "exception_closed"),
    ),
)
