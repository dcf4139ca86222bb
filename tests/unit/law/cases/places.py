"""A recipient who may be in one of two countries: both laws must allow."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.law.cases.table import Case, agreed, company, imported, sale

BOTH = "order of decision: every candidate country must allow"
LABELS = "two labels that must each stand first: deny, never stack"
TEXT = {"channel": "sms", "send_at": datetime(2026, 11, 24, 19, tzinfo=UTC)}


def between(*countries: str) -> dict[str, object]:
    return {"countries": countries}


# Each with the row whose `accepts` and `stricter` it tells.
CASES = (
    (
        "US",
        Case(
            "US alone would allow, DE wants consent",
            BOTH,
            "deny",
            between("DE", "US"),
            imported("US-WIRELESS"),
            codes=("no_basis",),
        ),
    ),
    (
        "US",
        Case(
            "consent carries in both",
            BOTH,
            "allow",
            between("DE", "US") | agreed(),
            imported("US-WIRELESS"),
            basis="consent",
            duties=("postal_address",),
        ),
    ),
    (
        "US",
        Case(
            "consent by one act: DE wants it confirmed",
            "BGH I ZR 164/09",
            "deny",
            between("DE", "US") | agreed(grade="single_opt_in"),
            codes=("double_opt_in_missing",),
        ),
    ),
    (
        "US",
        Case(
            "consent that the sender asserts: DE wants a look at it",
            "BGH I ZR 164/09",
            "review",
            between("DE", "US") | agreed(grade="attested"),
            codes=("double_opt_in_missing",),
        ),
    ),
    (
        "US",
        Case(
            "a sale carries in DE, an e-mail needs none in US",
            BOTH,
            "allow",
            between("DE", "US") | sale(),
            imported("US-WIRELESS"),
            basis="opt_out",
            duties=("recognisable_as_advertising", "postal_address"),
        ),
    ),
    (
        "US",
        Case(
            "the same, and the US list was not looked into",
            BOTH,
            "deny",
            between("DE", "US") | sale(),
            codes=("register_stale",),
        ),
    ),
    (
        "KR",
        Case(
            "KR and IL label e-mail differently",
            LABELS,
            "deny",
            between("IL", "KR") | agreed(),
            codes=("label_conflict",),
        ),
    ),
    (
        "KR",
        Case(
            "by text only KR labels, and it is day there",
            LABELS,
            "allow",
            between("IL", "KR") | agreed(),
            {"channel": "sms"},
            basis="consent",
            duties=("subject_label=(광고)",),
        ),
    ),
    (
        "KR",
        Case(
            "KR and CN", LABELS, "deny", between("CN", "KR") | agreed(), codes=("label_conflict",)
        ),
    ),
    (
        "KR",
        Case(
            "KR and SG on consent: SG has no label then",
            LABELS,
            "allow",
            between("KR", "SG") | agreed(),
            basis="consent",
            duties=("subject_label=(광고)",),
        ),
    ),
    (
        "KR",
        Case(
            "KR and DE: one label, two languages",
            LABELS,
            "allow",
            between("DE", "KR") | agreed(),
            basis="consent",
            duties=("subject_label=(광고)", "statement_language=ko"),
        ),
    ),
    (
        "KR",
        Case(
            "KR by night, US by day",
            BOTH,
            "deny",
            between("KR", "US") | agreed(),
            TEXT,
            codes=("outside_hours",),
        ),
    ),
    (
        "GB",
        Case(
            "a company: GB lets it, CA does not",
            BOTH,
            "deny",
            between("CA", "GB") | company(),
            codes=("no_basis",),
        ),
    ),
    (
        "GB",
        Case(
            "talks about a sale: GB knows them, CA does not",
            BOTH,
            "deny",
            between("CA", "GB") | sale(trigger="negotiation"),
            codes=("trigger_not_covered",),
        ),
    ),
    (
        "GB",
        Case(
            "a sale carries in both",
            BOTH,
            "allow",
            between("CA", "GB") | sale(),
            basis="existing_customer",
        ),
    ),
    (
        "GB",
        Case(
            "one of the two has no pack",
            BOTH,
            "deny",
            between("AR", "GB") | sale(),
            codes=("exception_off",),
        ),
    ),
    (
        "AU",
        Case(
            "an ongoing member: AU and NZ alike",
            BOTH,
            "allow",
            between("AU", "NZ") | sale(trigger="ongoing_relationship"),
            basis="existing_customer",
        ),
    ),
    (
        "ZA",
        Case(
            "a sale on Sunday: CH has no hours, ZA has",
            BOTH,
            "deny",
            between("CH", "ZA") | sale(),
            {"send_at": datetime(2026, 11, 29, 10, tzinfo=UTC)}
            | imported("ZA-NCC", at=datetime(2026, 11, 29, tzinfo=UTC)),
            codes=("outside_hours",),
        ),
    ),
)
