"""United States: CAN-SPAM for e-mail, the TCPA for text messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

CANSPAM = "15 U.S.C. 7704"
AD = "15 U.S.C. 7704(a)(5)"
STOP = "15 U.S.C. 7704(a)(4); 16 CFR 316.5"
WRITTEN = "47 CFR 64.1200(a)(2)"
WIRELESS = "47 CFR 64.3100"
DNC = "47 CFR 64.1200(c)(2)"
HOURS = "47 CFR 64.1200(c)(1); not settled for consented texts, so read strictly"
SERVICE = "15 U.S.C. 7702(17)"
LOOKED = imported("US-WIRELESS")


def text(*at: int) -> dict[str, object]:
    return {"channel": "sms", "send_at": datetime(*at, tzinfo=UTC)}


# 14:00 in New York, 09:00 in Honolulu and Adak.
AFTERNOON = text(2026, 11, 24, 19)

CASES = (
    Case(
        "a recorded address that agreed to nothing",
        CANSPAM,
        "allow",
        message=LOOKED,
        basis="opt_out",
        duties=(
            "identify_sender",
            "offer_opt_out",
            "postal_address",
            "contact_channel",
            "recognisable_as_advertising",
        ),
        absent=("subject_label",),
    ),
    Case(
        "with consent the mark as an advertisement is not due",
        AD,
        "allow",
        agreed(),
        LOOKED,
        basis="consent",
        duties=("postal_address",),
        absent=("recognisable_as_advertising",),
    ),
    Case("a company", CANSPAM, "allow", company(), LOOKED, basis="opt_out"),
    Case(
        "nobody knows what kind of person",
        CANSPAM,
        "allow",
        {"person": "unknown", "capacity": "unknown"},
        LOOKED,
        basis="opt_out",
    ),
    Case(
        "an address that nobody recorded",
        CANSPAM,
        "deny",
        {"recipient": "stranger"},
        LOOKED,
        codes=("no_basis",),
    ),
    Case("said stop", STOP, "deny", {"objection": "active"}, LOOKED, codes=("objected",)),
    Case(
        "an erased person's stop",
        STOP,
        "deny",
        {"objection": "suppressed"},
        LOOKED,
        codes=("suppressed",),
    ),
    Case(
        "withdrew a consent",
        STOP,
        "deny",
        {"consent": "withdrawn", "closed": True},
        LOOKED,
        codes=("opt_out_closed",),
    ),
    Case(
        "an opt-out does not lapse with a later sale",
        STOP,
        "deny",
        sale() | {"closed": True},
        LOOKED,
        codes=("opt_out_closed",),
    ),
    # The list of wireless domains.
    Case(
        "the list of wireless domains was never taken", WIRELESS, "deny", codes=("register_stale",)
    ),
    Case(
        "the list is more than 30 days old",
        WIRELESS,
        "deny",
        message=imported("US-WIRELESS", at=SEND_AT - timedelta(days=30, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "the list is 30 days old",
        WIRELESS,
        "allow",
        message=imported("US-WIRELESS", at=SEND_AT - timedelta(days=30)),
        basis="opt_out",
    ),
    Case(
        "an address at a wireless domain",
        WIRELESS,
        "deny",
        {"listed": ("US-WIRELESS",)},
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "the same with express consent",
        WIRELESS,
        "allow",
        agreed(listed=("US-WIRELESS",)),
        basis="consent",
    ),
    # Text messages.
    Case("a text without consent", WRITTEN, "deny", message=AFTERNOON, codes=("no_basis",)),
    Case(
        "a text to a customer without consent",
        WRITTEN,
        "deny",
        sale(),
        AFTERNOON,
        codes=("exception_off",),
    ),
    Case(
        "a text to a company without consent",
        WRITTEN,
        "deny",
        company(),
        AFTERNOON,
        codes=("no_basis",),
    ),
    Case(
        "a text with consent",
        WRITTEN,
        "allow",
        agreed(),
        AFTERNOON,
        basis="consent",
        duties=("identify_sender", "offer_opt_out"),
    ),
    Case(
        "a listed number whose holder agreed in writing",
        DNC,
        "allow",
        agreed(listed=("US-DNC",)),
        AFTERNOON,
        basis="consent",
    ),
    Case(
        "at noon in New York it is too early in Honolulu",
        HOURS,
        "deny",
        agreed(),
        text(2026, 11, 24, 17, 59),
        codes=("outside_hours",),
    ),
    Case(
        "at eight in Adak and Honolulu all zones are open",
        HOURS,
        "allow",
        agreed(),
        text(2026, 11, 24, 18),
        basis="consent",
    ),
    Case(
        "a minute before nine in New York",
        HOURS,
        "allow",
        agreed(),
        text(2026, 11, 25, 1, 59),
        basis="consent",
    ),
    Case(
        "at nine in New York",
        HOURS,
        "deny",
        agreed(),
        text(2026, 11, 25, 2),
        codes=("outside_hours",),
    ),
    # Summer time: New York closes an hour earlier by UTC; Honolulu has none and opens as ever.
    Case(
        "in summer at nine in New York",
        HOURS,
        "deny",
        agreed(),
        text(2026, 7, 15, 1),
        codes=("outside_hours",),
    ),
    Case(
        "in summer at eight in Honolulu",
        HOURS,
        "allow",
        agreed(),
        text(2026, 7, 14, 18),
        basis="consent",
    ),
    Case(
        "on Thanksgiving and on Sundays too",
        HOURS,
        "allow",
        agreed(),
        text(2026, 11, 26, 19),
        basis="consent",
    ),
    Case(
        "e-mail has no hours",
        CANSPAM,
        "allow",
        message=LOOKED | {"send_at": SEND_AT.replace(hour=10)},
        basis="opt_out",
    ),
    # Transactional messages.
    Case(
        "a receipt after a stop",
        SERVICE,
        "allow",
        {"objection": "active"},
        {"message_class": "service"},
        basis="service",
    ),
    Case(
        "a receipt by text at night",
        SERVICE,
        "allow",
        message=text(2026, 11, 24, 9) | {"message_class": "service"},
        basis="service",
    ),
    Case(
        "a receipt with a survey, after a stop",
        SERVICE,
        "deny",
        {"objection": "active"},
        LOOKED | {"message_class": "service", "contains": ("survey",)},
        codes=("objected",),
    ),
    Case(
        "to track opens needs its own consent",
        "tracking is a purpose of its own (strict reading)",
        "allow",
        message=LOOKED | {"tracking": True},
        basis="opt_out",
        duties=("send_without_tracking",),
    ),
    Case(
        "the organisation wants consent",
        CANSPAM,
        "deny",
        message=LOOKED,
        codes=("opt_out_off",),
        stricter=("opt_out=off",),
    ),
)
