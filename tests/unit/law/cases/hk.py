"""Hong Kong: UEMO (Cap. 593), its regulation, and Part 6A of the PDPO."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

UEMO = "UEMO s. 8 to 10"
PDPO = "PDPO s. 35C, 35E: consent or a clear sign of no objection; silence is none"
DNC = "UEMO s. 11"
CONSENT = "UEMO s. 11(2): consent overrides the register"
STATEMENTS = "UEMO Regulation s. 5, 7: address of business, both languages"
SMS = {"channel": "sms"}
LOOKED = imported("HK-DNC") | SMS

CASES = (
    Case(
        "a firm, by e-mail",
        UEMO,
        "allow",
        company(),
        basis="opt_out",
        duties=(
            "statement_language=zh",
            "statement_language=en",
            "postal_address",
            "offer_opt_out",
        ),
    ),
    Case("a person who did not agree", PDPO, "deny", codes=("no_basis",)),
    Case("a customer who did not agree", PDPO, "deny", sale(), codes=("exception_off",)),
    Case(
        "a person who agreed",
        STATEMENTS,
        "allow",
        agreed(),
        basis="consent",
        duties=("statement_language=zh", "statement_language=en", "postal_address"),
        absent=("subject_label",),
    ),
    Case(
        "a firm that unsubscribed",
        "UEMO s. 10",
        "deny",
        company(objection="active"),
        codes=("objected",),
    ),
    Case("a text to a firm, number not listed", DNC, "allow", company(), LOOKED, basis="opt_out"),
    Case(
        "a text to a listed firm",
        DNC,
        "deny",
        company(listed=("HK-DNC",)),
        LOOKED,
        codes=("register_listed",),
    ),
    Case("a text to a firm without a look", DNC, "deny", company(), SMS, codes=("register_stale",)),
    Case(
        "a text to a firm after a look more than 14 days ago",
        DNC,
        "deny",
        company(),
        SMS | imported("HK-DNC", at=SEND_AT - timedelta(days=14, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "a listed number whose holder agreed",
        CONSENT,
        "allow",
        agreed(listed=("HK-DNC",)),
        SMS,
        basis="consent",
    ),
    Case(
        "the address is no post-office box",
        STATEMENTS,
        "allow",
        agreed(),
        basis="consent",
        duties=("postal_address=no_po_box",),
    ),
    Case(
        "a text to a firm after a look 14 days ago",
        DNC,
        "allow",
        company(),
        SMS | imported("HK-DNC", at=SEND_AT - timedelta(days=14)),
        basis="opt_out",
    ),
)
