"""Singapore: the Spam Control Act for e-mail, the Do Not Call Registry for texts."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

MAIL = "Spam Control Act s. 11, Second Schedule"
LABEL = "Spam Control Act Second Schedule para. 3: unsolicited messages"
DNC = "PDPA s. 43"
CLEAR = "PDPA s. 43: clear and unambiguous consent"
ONGOING = "PDPA exemption order: ongoing relationship"
SMS = {"channel": "sms"}
LOOKED = imported("SG-DNC") | SMS


def member(**more: str) -> dict[str, object]:
    return sale("2020-05-01", trigger="ongoing_relationship", **more)


CASES = (
    Case(
        "an e-mail nobody asked for",
        LABEL,
        "allow",
        basis="opt_out",
        duties=(
            "subject_label=<ADV> ",
            "offer_opt_out",
            "identify_sender",
            "statement_language=en",
        ),
    ),
    Case(
        "an e-mail to a firm",
        LABEL,
        "allow",
        company(),
        basis="opt_out",
        duties=("subject_label=<ADV> ",),
    ),
    Case(
        "an e-mail on consent has no label",
        LABEL,
        "allow",
        agreed(),
        basis="consent",
        absent=("subject_label",),
    ),
    Case(
        "unsubscribed",
        "Spam Control Act s. 11, Second Schedule para. 2",
        "deny",
        {"objection": "active"},
        codes=("objected",),
    ),
    Case(
        "a text, number not listed",
        DNC,
        "allow",
        message=LOOKED,
        basis="opt_out",
        duties=("subject_label=<ADV> ",),
    ),
    Case(
        "a text without a look into the registry",
        DNC,
        "deny",
        message=SMS,
        codes=("register_stale",),
    ),
    Case(
        "a text after a look more than 21 days ago",
        DNC,
        "deny",
        message=SMS | imported("SG-DNC", at=SEND_AT - timedelta(days=21, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "a text to a listed number",
        DNC,
        "deny",
        {"listed": ("SG-DNC",)},
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a text to a listed number that agreed",
        CLEAR,
        "allow",
        agreed(listed=("SG-DNC",)),
        SMS,
        basis="consent",
        absent=("subject_label",),
    ),
    Case(
        "a text to a listed member",
        ONGOING,
        "allow",
        member() | {"listed": ("SG-DNC",)},
        SMS,
        basis="existing_customer",
    ),
    Case(
        "a text to a listed member about something else",
        ONGOING,
        "deny",
        member(relation="other") | {"listed": ("SG-DNC",)},
        LOOKED,
        codes=("products_not_similar", "register_listed"),
    ),
    Case(
        "a text to a listed former member",
        ONGOING,
        "deny",
        member(ended_on="2026-11-01") | {"listed": ("SG-DNC",)},
        LOOKED,
        codes=("relationship_ended", "register_listed"),
    ),
    Case(
        "a text to a firm needs no look",
        "PDPA Eighth Schedule: messages to organisations",
        "allow",
        company(),
        SMS,
        basis="opt_out",
    ),
    Case(
        "an e-mail tells an e-mail address for the stop",
        MAIL,
        "allow",
        basis="opt_out",
        duties=("stop_by_email",),
    ),
    Case(
        "a text does not", MAIL, "allow", agreed(), SMS, basis="consent", absent=("stop_by_email",)
    ),
    Case(
        "a text after a look 21 days ago",
        DNC,
        "allow",
        message=SMS | imported("SG-DNC", at=SEND_AT - timedelta(days=21)),
        basis="opt_out",
    ),
    Case(
        "a text to a listed number that agreed by one act",
        CLEAR,
        "allow",
        agreed(grade="single_opt_in", listed=("SG-DNC",)),
        SMS,
        basis="consent",
    ),
)
