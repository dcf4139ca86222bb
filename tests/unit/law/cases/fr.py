"""France: CPCE art. L.34-5, the CNIL on work addresses, and the charter on the hours of SMS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "CPCE art. L.34-5(1)"
CUSTOMERS = "CPCE art. L.34-5(4)"
WORK = "CNIL on advertising to professionals"
HOURS = "AF2M charter on marketing SMS"
THREE_YEARS = "CNIL: prospects' data, three years"


def sms(*when: int) -> dict[str, Any]:
    """An SMS at an instant (UTC)."""
    return {"channel": "sms", "send_at": datetime(*when, tzinfo=UTC)}  # type: ignore[arg-type]


CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "confirmed consent",
        OPT_IN,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out"),
    ),
    Case(
        "the subject fits the offer",
        OPT_IN,
        "allow",
        agreed(),
        basis="consent",
        duties=("subject_fits_content",),
    ),
    # Work addresses.
    Case(
        "at work, about the role",
        WORK,
        "allow",
        company(),
        basis="opt_out",
        duties=("offer_opt_out",),
    ),
    Case("at work, beside the role", WORK, "deny", company("role_irrelevant"), codes=("no_basis",)),
    Case(
        "info@ of a company is nobody's",
        "CPCE art. L.34-5: natural persons",
        "allow",
        company("impersonal"),
        basis="opt_out",
    ),
    Case("at work, role unknown", WORK, "deny", company("unknown"), codes=("no_basis",)),
    Case("at work, objected", WORK, "deny", company(objection="active"), codes=("objected",)),
    Case("at work, said no at collection", WORK, "deny", company(closed=True), codes=("no_basis",)),
    Case(
        "person or company unknown",
        WORK,
        "deny",
        {"person": "unknown", "capacity": "role_relevant"},
        codes=("no_basis",),
    ),
    # Customers.
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a customer, by SMS",
        CUSTOMERS,
        "allow",
        sale(),
        {"channel": "sms"},
        basis="existing_customer",
        duties=("stop_by_reply=STOP",),
    ),
    Case(
        "sold by another company",
        CUSTOMERS,
        "deny",
        sale(without="same_person"),
        codes=("other_seller",),
    ),
    Case(
        "not from the person",
        CUSTOMERS,
        "deny",
        sale(without="directly"),
        codes=("not_collected_directly",),
    ),
    Case("not similar", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)),
    Case(
        "no refusal offered",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case("refused", CUSTOMERS, "deny", sale(refused=True), codes=("refused_at_collection",)),
    Case(
        "a company's purchase, beside the role",
        CUSTOMERS,
        "deny",
        company("role_irrelevant", **sale()),
        codes=("exception_off",),
    ),
    # SMS: not from 22:00 to 08:00, not on Sundays and public holidays, in Paris.
    Case("21:59 in winter", HOURS, "allow", agreed(), sms(2026, 11, 24, 20, 59), basis="consent"),
    Case(
        "22:00 in winter",
        HOURS,
        "deny",
        agreed(),
        sms(2026, 11, 24, 21, 0),
        codes=("outside_hours",),
    ),
    Case(
        "07:59 in winter",
        HOURS,
        "deny",
        agreed(),
        sms(2026, 11, 24, 6, 59),
        codes=("outside_hours",),
    ),
    Case("08:00 in winter", HOURS, "allow", agreed(), sms(2026, 11, 24, 7, 0), basis="consent"),
    Case(
        "22:30 in summer",
        HOURS,
        "deny",
        agreed(sent_on="2026-07-01"),
        sms(2026, 7, 13, 20, 30),
        codes=("outside_hours",),
    ),
    Case("08:30 in summer", HOURS, "allow", agreed(), sms(2026, 7, 13, 6, 30), basis="consent"),
    Case("a Saturday", HOURS, "allow", agreed(), sms(2026, 11, 28, 12, 0), basis="consent"),
    Case("a Sunday", HOURS, "deny", agreed(), sms(2026, 11, 29, 12, 0), codes=("outside_hours",)),
    Case(
        "Christmas, a Friday",
        HOURS,
        "deny",
        agreed(),
        sms(2026, 12, 25, 12, 0),
        codes=("outside_hours",),
    ),
    Case(
        "Whit Monday of 2027",
        HOURS,
        "deny",
        agreed(),
        sms(2027, 5, 17, 12, 0),
        codes=("outside_hours",),
    ),
    Case(
        "Ascension Day of 2027",
        HOURS,
        "deny",
        agreed(),
        sms(2027, 5, 6, 12, 0),
        codes=("outside_hours",),
    ),
    Case(
        "Good Friday, for Alsace and Moselle",
        HOURS,
        "deny",
        agreed(),
        sms(2027, 3, 26, 12, 0),
        codes=("outside_hours",),
    ),
    Case(
        "a year whose holidays are not known",
        HOURS,
        "deny",
        agreed(),
        sms(2028, 2, 1, 12, 0),
        codes=("outside_hours",),
    ),
    Case(
        "e-mail on a Sunday",
        HOURS,
        "allow",
        agreed(),
        {"send_at": datetime(2026, 11, 29, 22, tzinfo=UTC)},
        basis="consent",
    ),
    Case(
        "a delivery notice by SMS at night",
        HOURS,
        "allow",
        message=sms(2026, 11, 24, 22, 0) | {"message_class": "service"},
        basis="service",
    ),
    # Unused consent: warned at 33 months, looked at after three years.
    Case(
        "unused for 32 months",
        THREE_YEARS,
        "allow",
        agreed("2024-03-25"),
        basis="consent",
        absent=("refresh_consent",),
    ),
    Case(
        "unused for 33 months",
        THREE_YEARS,
        "allow",
        agreed("2024-02-23"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case("unused for three years", THREE_YEARS, "review", agreed("2023-11-23"), codes=("dormant",)),
    Case(
        "messages to the person are no use: warned",
        THREE_YEARS,
        "allow",
        agreed("2024-02-23", sent_on="2026-11-01"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "messages to the person are no use: looked at",
        THREE_YEARS,
        "review",
        agreed("2023-11-23", sent_on="2026-11-01"),
        codes=("dormant",),
    ),
    Case(
        "three years of silence, and a customer since",
        CUSTOMERS,
        "allow",
        agreed("2023-11-23") | sale(),
        basis="existing_customer",
    ),
    Case(
        "opens tracked without consent",
        "CNIL draft of 2025",
        "allow",
        agreed(),
        {"tracking": True},
        basis="consent",
        duties=("send_without_tracking",),
    ),
)
