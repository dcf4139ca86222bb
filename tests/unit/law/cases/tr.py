"""Türkiye: act 6563, its regulation, and the message register (İYS)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

CONSENT = "Act 6563 art. 6(1)"
IYS = "Regulation on Commercial Electronic Messages: absence in İYS is refusal"
FRESH = (
    "Regulation on Commercial Electronic Messages: refusals of the same day count (strict reading)"
)
MERCHANTS = "Act 6563 art. 6(2); looked up in İYS (strict reading)"
NO_CUSTOMERS = "Act 6563 art. 6: no exception for advertising to customers"
LOOKED = imported("TR-IYS")
IN_IYS = {"listed": ("TR-IYS",)}
# 00:30 in Istanbul, still the day before by UTC.
MIDNIGHT = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)

CASES = (
    Case(
        "consent that stands in İYS",
        IYS,
        "allow",
        agreed(**IN_IYS),
        LOOKED,
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "sender_number=MERSİS"),
    ),
    Case(
        "consent that does not stand in İYS",
        IYS,
        "deny",
        agreed(),
        LOOKED,
        codes=("register_absent",),
    ),
    Case("consent, and no look into İYS", IYS, "deny", agreed(**IN_IYS), codes=("register_stale",)),
    Case(
        "consent, and a look of yesterday",
        FRESH,
        "deny",
        agreed(**IN_IYS),
        imported("TR-IYS", at=SEND_AT - timedelta(days=1)),
        codes=("register_stale",),
    ),
    Case(
        "a look of the same morning",
        FRESH,
        "allow",
        agreed(**IN_IYS),
        imported("TR-IYS", at=SEND_AT - timedelta(hours=8)),
        basis="consent",
    ),
    Case(
        "a look before midnight in Istanbul",
        FRESH,
        "deny",
        agreed(**IN_IYS),
        imported("TR-IYS", at=MIDNIGHT - timedelta(hours=1)) | {"send_at": MIDNIGHT},
        codes=("register_stale",),
    ),
    Case(
        "stands in İYS, but agreed to nothing here",
        CONSENT,
        "deny",
        IN_IYS,
        LOOKED,
        codes=("no_basis",),
    ),
    Case("a customer", NO_CUSTOMERS, "deny", sale() | IN_IYS, LOOKED, codes=("exception_off",)),
    Case("a merchant", MERCHANTS, "allow", company(**IN_IYS), LOOKED, basis="opt_out"),
    Case(
        "a craftsman, by text",
        MERCHANTS,
        "allow",
        {"person": "sole_trader"} | IN_IYS,
        LOOKED | {"channel": "sms"},
        basis="opt_out",
    ),
    Case(
        "a merchant who is not in İYS",
        MERCHANTS,
        "deny",
        company(),
        LOOKED,
        codes=("register_absent",),
    ),
    Case(
        "nobody knows whether it is a merchant",
        CONSENT,
        "deny",
        {"person": "unknown"} | IN_IYS,
        LOOKED,
        codes=("no_basis",),
    ),
    Case(
        "a delivery note",
        "Act 6563 art. 6(2): no consent needed",
        "allow",
        message={"message_class": "service"},
        basis="service",
    ),
)
