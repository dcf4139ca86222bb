"""Canada: CASL ss. 6 and 10, its periods counted by s. 28 of the Interpretation Act."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

CONSENT = "CASL s. 6(1), 10(1)"
SALE = "CASL s. 10(9)(a), 10(10)(a)"
MONTHS = "CASL s. 10(10); Interpretation Act s. 28"
INQUIRY = "CASL s. 10(10)(e)"
SUBSCRIPTION = "CASL s. 10(10)(d), 10(14)"
DONATION = "CASL s. 10(13)(a)"
PUBLISHED = "CASL s. 10(9)(b)"
CARD = "CASL s. 10(9)(c)"
SERVICE = "CASL s. 6(6), 6(2)"
STOP = "CASL s. 11"
BUSINESS = {"capacity": "role_relevant"}


def on(*at: int) -> dict[str, object]:
    """Noon in the middle of Canada: the same date in all its zones."""
    return {"send_at": datetime(*at, 17, tzinfo=UTC)}


def member(ended_on: str | None) -> dict[str, object]:
    return sale("2019-03-01", trigger="ongoing_relationship", ended_on=ended_on)


CASES = (
    Case("neither consent nor relationship", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm is protected too", CONSENT, "deny", company(), codes=("no_basis",)),
    Case(
        "a text message without consent",
        CONSENT,
        "deny",
        message={"channel": "sms"},
        codes=("no_basis",),
    ),
    Case(
        "express consent",
        CONSENT,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "postal_address", "contact_channel"),
    ),
    Case(
        "express consent has no end",
        "CRTC guidance: not limited in time",
        "allow",
        agreed("2014-07-01"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "asking for consent is a commercial message",
        "CASL s. 1(3)",
        "deny",
        message={"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    # Purchase: 24 calendar months right before the day of sending, the same number of the day included.
    Case(
        "a purchase two years ago to the day",
        MONTHS,
        "allow",
        sale("2024-11-24"),
        on(2026, 11, 24),
        basis="existing_customer",
    ),
    Case(
        "a purchase a day longer ago",
        MONTHS,
        "deny",
        sale("2024-11-23"),
        on(2026, 11, 24),
        codes=("too_old",),
    ),
    Case(
        "731 days ago over a leap day, and still inside",
        MONTHS,
        "allow",
        sale("2023-03-15"),
        on(2025, 3, 15),
        basis="existing_customer",
    ),
    Case(
        "sent on a leap day: February 2026 ends on the 28th",
        MONTHS,
        "allow",
        sale("2026-02-28"),
        on(2028, 2, 29),
        basis="existing_customer",
    ),
    Case(
        "sent on a leap day, bought on the 27th",
        MONTHS,
        "deny",
        sale("2026-02-27"),
        on(2028, 2, 29),
        codes=("too_old",),
    ),
    Case(
        "bought on a leap day",
        MONTHS,
        "allow",
        sale("2024-02-29"),
        on(2026, 2, 28),
        basis="existing_customer",
    ),
    Case(
        "bought on a leap day, sent on 1 March",
        MONTHS,
        "deny",
        sale("2024-02-29"),
        on(2026, 3, 1),
        codes=("too_old",),
    ),
    Case(
        "already tomorrow in St. John's: the day of sending is the later one",
        MONTHS,
        "deny",
        sale("2024-11-24"),
        {"send_at": datetime(2026, 11, 25, 4, tzinfo=UTC)},
        codes=("too_old",),
    ),
    Case(
        "any of the seller's products",
        "CASL s. 10(9)(a): no likeness asked",
        "allow",
        sale(relation="other"),
        basis="existing_customer",
    ),
    Case(
        "no opt-out was offered at the purchase",
        "CASL s. 10(9)(a): asked in each message only",
        "allow",
        sale(without="offered"),
        basis="existing_customer",
        duties=("offer_opt_out",),
    ),
    Case("a firm that bought", SALE, "allow", sale() | company(), basis="existing_customer"),
    Case(
        "a customer by text message",
        SALE,
        "allow",
        sale(),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "another firm's customer",
        SALE,
        "deny",
        sale(without="same_person"),
        codes=("other_seller",),
    ),
    Case(
        "unsubscribed, then bought again",
        STOP,
        "deny",
        sale("2026-11-20") | {"closed": True},
        codes=("exception_closed",),
    ),
    Case("said stop", STOP, "deny", sale() | {"objection": "active"}, codes=("objected",)),
    # Inquiry: six calendar months.
    Case(
        "an inquiry six months ago to the day",
        INQUIRY,
        "allow",
        sale("2026-05-24", trigger="inquiry"),
        on(2026, 11, 24),
        basis="existing_customer",
    ),
    Case(
        "an inquiry a day longer ago",
        INQUIRY,
        "deny",
        sale("2026-05-23", trigger="inquiry"),
        on(2026, 11, 24),
        codes=("too_old",),
    ),
    Case(
        "an inquiry on 28 February, sent on 31 August",
        MONTHS,
        "allow",
        sale("2026-02-28", trigger="inquiry"),
        on(2026, 8, 31),
        basis="existing_customer",
    ),
    Case(
        "an inquiry on 27 February, sent on 31 August",
        MONTHS,
        "deny",
        sale("2026-02-27", trigger="inquiry"),
        on(2026, 8, 31),
        codes=("too_old",),
    ),
    # Contracts and subscriptions: the clock starts at their end.
    Case(
        "a subscription that goes on since years",
        SUBSCRIPTION,
        "allow",
        member(None),
        basis="existing_customer",
    ),
    Case(
        "a subscription that ended two years ago to the day",
        SUBSCRIPTION,
        "allow",
        member("2024-11-24"),
        on(2026, 11, 24),
        basis="existing_customer",
    ),
    Case(
        "a subscription that ended a day longer ago",
        SUBSCRIPTION,
        "deny",
        member("2024-11-23"),
        on(2026, 11, 24),
        codes=("too_old",),
    ),
    # Donors; only charities, parties and candidates.
    Case(
        "a donor of two years",
        DONATION,
        "allow",
        sale("2024-11-24", trigger="donation"),
        on(2026, 11, 24),
        basis="existing_customer",
        accepts=("donation",),
    ),
    Case(
        "a donor of longer ago",
        DONATION,
        "deny",
        sale("2024-11-23", trigger="donation"),
        on(2026, 11, 24),
        codes=("too_old",),
        accepts=("donation",),
    ),
    Case(
        "a donor of somebody who is no charity",
        DONATION,
        "deny",
        sale(trigger="donation"),
        codes=("risk_not_accepted",),
    ),
    # Business addresses, given out.
    Case(
        "a published address, about the role",
        PUBLISHED,
        "allow",
        disclosed() | BUSINESS,
        basis="existing_customer",
    ),
    Case(
        "a published address, beside the role",
        PUBLISHED,
        "deny",
        disclosed() | {"capacity": "role_irrelevant"},
        codes=("capacity_not_covered",),
    ),
    Case(
        "a published address with a word against such messages",
        PUBLISHED,
        "deny",
        sale(trigger="published_address", refused=True) | BUSINESS,
        codes=("refused_at_collection",),
    ),
    Case(
        "a business card, about the role, years ago",
        CARD,
        "allow",
        disclosed("business_card", "2015-01-01") | BUSINESS,
        basis="existing_customer",
    ),
    Case(
        "a business card, role unknown",
        CARD,
        "deny",
        disclosed("business_card") | {"capacity": "unknown"},
        codes=("capacity_not_covered",),
    ),
    # Messages that need no consent.
    Case(
        "a receipt carries name, address and way out too",
        SERVICE,
        "allow",
        message={"message_class": "service"},
        basis="service",
        duties=("identify_sender", "postal_address", "offer_opt_out"),
    ),
    Case(
        "a negotiation is no ground of its own",
        "CASL s. 10(10): closed list",
        "deny",
        sale(trigger="negotiation"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "a firm's published address, about the role",
        PUBLISHED,
        "allow",
        disclosed() | company(),
        basis="existing_customer",
    ),
)
