"""Ireland: S.I. 336/2011 reg. 13, with its twelve calendar months."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "S.I. 336/2011 reg. 13(1)"
ROLE = "S.I. 336/2011 reg. 13(2)"
LEGAL = "S.I. 336/2011 reg. 13(4)"
CUSTOMERS = "S.I. 336/2011 reg. 13(11)"
TWELVE = "S.I. 336/2011 reg. 13(11)(d)"
FEBRUARY = {"send_at": datetime(2027, 2, 28, 12, tzinfo=UTC)}
LEAP_DAY = {"send_at": datetime(2028, 2, 29, 12, tzinfo=UTC)}
AFTER_LEAP_DAY = {"send_at": datetime(2029, 2, 28, 12, tzinfo=UTC)}
MARCH = {"send_at": datetime(2029, 3, 1, 12, tzinfo=UTC)}
# Half past midnight on 1 July in Dublin.
SUMMER_NIGHT = {"send_at": datetime(2026, 6, 30, 23, 30, tzinfo=UTC)}

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
    Case("an SMS without consent", OPT_IN, "deny", message={"channel": "sms"}, codes=("no_basis",)),
    # Business addresses and companies.
    Case(
        "a person's business address, about the role",
        ROLE,
        "allow",
        {"capacity": "role_relevant"},
        basis="opt_out",
    ),
    Case(
        "a person's business address, beside the role",
        ROLE,
        "deny",
        {"capacity": "role_irrelevant"},
        codes=("no_basis",),
    ),
    Case(
        "a business address, role unknown",
        ROLE,
        "deny",
        {"capacity": "unknown"},
        codes=("no_basis",),
    ),
    Case(
        "a person's info@ tells nothing of the role",
        ROLE,
        "deny",
        {"capacity": "impersonal"},
        codes=("no_basis",),
    ),
    Case(
        "info@, perhaps a person's",
        ROLE,
        "deny",
        {"person": "unknown", "capacity": "impersonal"},
        codes=("no_basis",),
    ),
    Case("info@ of a company", LEGAL, "allow", company("impersonal"), basis="opt_out"),
    Case(
        "a sole trader, about the trade",
        ROLE,
        "allow",
        {"person": "sole_trader", "capacity": "role_relevant"},
        basis="opt_out",
    ),
    Case(
        "the role rule is for e-mail",
        ROLE,
        "deny",
        {"capacity": "role_relevant"},
        {"channel": "sms"},
        codes=("no_basis",),
    ),
    Case(
        "a company may be written to",
        LEGAL,
        "allow",
        company("role_irrelevant"),
        basis="opt_out",
        duties=("offer_opt_out",),
    ),
    Case("a company, capacity unknown", LEGAL, "allow", company("unknown"), basis="opt_out"),
    Case(
        "a company by SMS", LEGAL, "allow", company("unknown"), {"channel": "sms"}, basis="opt_out"
    ),
    Case("a company that said no", LEGAL, "deny", company(closed=True), codes=("no_basis",)),
    Case(
        "a company that objected", LEGAL, "deny", company(objection="active"), codes=("objected",)
    ),
    Case("perhaps a company", LEGAL, "deny", {"person": "unknown"}, codes=("no_basis",)),
    Case(
        "a stranger's company address",
        LEGAL,
        "deny",
        company(recipient="stranger"),
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
    ),
    Case("another seller", CUSTOMERS, "deny", sale(without="same_person"), codes=("other_seller",)),
    Case(
        "other products", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
    Case(
        "no way to object at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "refused at collection",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "said stop since", CUSTOMERS, "deny", sale() | {"closed": True}, codes=("exception_closed",)
    ),
    Case(
        "no sale yet",
        CUSTOMERS,
        "deny",
        sale(trigger="negotiation"),
        codes=("trigger_not_covered",),
    ),
    # Twelve calendar months, not 365 days.
    Case(
        "twelve months to the day", TWELVE, "allow", sale("2025-11-24"), basis="existing_customer"
    ),
    Case("twelve months and a day", TWELVE, "deny", sale("2025-11-23"), codes=("too_old",)),
    Case(
        "renewed by a message in time",
        TWELVE,
        "allow",
        sale("2024-05-01", renewed_on="2025-11-24"),
        basis="existing_customer",
    ),
    Case(
        "renewed a year and a day ago",
        TWELVE,
        "deny",
        sale("2024-05-01", renewed_on="2025-11-23"),
        codes=("too_old",),
    ),
    Case(
        "after fourteen silent months a message on consent revives nothing",
        TWELVE,
        "deny",
        sale("2024-05-01", renewed_on="2025-04-01") | {"sent_on": "2026-06-24"},
        codes=("too_old",),
    ),
    Case(
        "a message on consent renews no sale",
        TWELVE,
        "deny",
        sale("2025-10-24") | {"sent_on": "2026-06-24"},
        codes=("too_old",),
    ),
    Case(
        "end of February", TWELVE, "allow", sale("2026-02-28"), FEBRUARY, basis="existing_customer"
    ),
    Case(
        "before the end of February",
        TWELVE,
        "deny",
        sale("2026-02-27"),
        FEBRUARY,
        codes=("too_old",),
    ),
    Case(
        "sent on 29 February",
        TWELVE,
        "allow",
        sale("2027-02-28"),
        LEAP_DAY,
        basis="existing_customer",
    ),
    Case(
        "sent on 29 February, too late",
        TWELVE,
        "deny",
        sale("2027-02-27"),
        LEAP_DAY,
        codes=("too_old",),
    ),
    Case(
        "sold on 29 February",
        TWELVE,
        "allow",
        sale("2028-02-29"),
        AFTER_LEAP_DAY,
        basis="existing_customer",
    ),
    Case(
        "sold on 29 February, sent in March",
        TWELVE,
        "deny",
        sale("2028-02-29"),
        MARCH,
        codes=("too_old",),
    ),
    Case(
        "the day of sending is Dublin's",
        TWELVE,
        "allow",
        sale("2025-07-01"),
        SUMMER_NIGHT,
        basis="existing_customer",
    ),
    Case(
        "in Dublin the year was over",
        TWELVE,
        "deny",
        sale("2025-06-30"),
        SUMMER_NIGHT,
        codes=("too_old",),
    ),
    Case(
        "consent unused for a year",
        "DPC, to be checked",
        "allow",
        agreed("2025-11-23"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "consent does not end with the twelve months",
        "S.I. 336/2011 reg. 13(1), (11)",
        "allow",
        agreed(sent_on="2026-10-01") | sale("2020-01-01"),
        basis="consent",
    ),
    Case(
        "what the organisation tightens",
        TWELVE,
        "deny",
        sale("2026-05-23"),
        codes=("too_old",),
        stricter=("exception.months=6",),
    ),
    Case(
        "opt-out switched off",
        LEGAL,
        "deny",
        company(),
        codes=("no_basis",),
        stricter=("opt_out=off",),
    ),
)
