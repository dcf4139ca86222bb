"""India: the data protection act before and after 14 May 2027, and TRAI's rules for texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

BEFORE = "no rule in force on e-mail before 14 May 2027 (strict reading)"
AFTER = "DPDP Act ss. 4 to 6, in force from 14 May 2027"
FIRMS = "no rule on firms' e-mail (strict reading)"
DND = "TCCCPR 2018; whether other consents override is doubtful (strict reading)"
HOURS = "practice of the operators under TCCCPR: 10:00 to 21:00"
LOOKED = imported("IN-DND") | {"channel": "sms"}
LAST_DAY = {"send_at": datetime(2027, 5, 13, 12, tzinfo=UTC)}
FIRST_DAY = {"send_at": datetime(2027, 5, 14, 12, tzinfo=UTC)}


def text(*at: int) -> dict[str, object]:
    """A text at this Indian time (UTC+5:30), after a look into the register."""
    moment = datetime(*at, tzinfo=UTC) - timedelta(hours=5, minutes=30)
    return imported("IN-DND", at=moment) | {"channel": "sms", "send_at": moment}


CASES = (
    Case("without consent, before the act", BEFORE, "deny", message=LAST_DAY, codes=("no_basis",)),
    Case("without consent, under the act", AFTER, "deny", message=FIRST_DAY, codes=("no_basis",)),
    Case("consent, before the act", BEFORE, "allow", agreed(), LAST_DAY, basis="consent"),
    Case("consent, under the act", AFTER, "allow", agreed(), FIRST_DAY, basis="consent"),
    Case("a firm", FIRMS, "deny", company(), codes=("no_basis",)),
    Case("a customer", "DPDP Act s. 7(a): too narrow", "deny", sale(), codes=("exception_off",)),
    Case("a text on consent", DND, "allow", agreed(), LOOKED, basis="consent"),
    Case(
        "a text on consent to a listed number",
        DND,
        "deny",
        agreed(listed=("IN-DND",)),
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a text after a look more than a day ago",
        DND,
        "deny",
        agreed(),
        LOOKED | imported("IN-DND", at=SEND_AT - timedelta(days=1, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "a text a minute before ten",
        HOURS,
        "deny",
        agreed(),
        text(2026, 11, 24, 9, 59),
        codes=("outside_hours",),
    ),
    Case("a text at ten", HOURS, "allow", agreed(), text(2026, 11, 24, 10), basis="consent"),
    Case(
        "a text at nine in the evening",
        HOURS,
        "deny",
        agreed(),
        text(2026, 11, 24, 21),
        codes=("outside_hours",),
    ),
)
