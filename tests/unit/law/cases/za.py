"""South Africa: POPIA s. 69, the consumer act's registry, and its hours for consumers at home."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported, sale

CONSENT = "POPIA s. 69(1), (2)"
CUSTOMERS = "POPIA s. 69(3)"
ONCE = "POPIA s. 69(2): one approach; nothing on record shows that it is the first (strict reading)"
STOP = "POPIA s. 11(3)"
REGISTRY = "Consumer Protection Act s. 11; regulation 4 as amended on 15 April 2026"
HOURS = "GN R293 under Consumer Protection Act s. 12"
HOLIDAYS = "Public Holidays Act s. 1, 2"
SMS = {"channel": "sms"}
LOOKED = imported("ZA-NCC")


def at(*when: int) -> dict[str, object]:
    """A message at this local time (UTC+2 all year), after a look into the registry."""
    moment = datetime(*when, tzinfo=UTC) - timedelta(hours=2)
    return imported("ZA-NCC", at=moment) | {"send_at": moment}


CASES = (
    Case("neither consent nor sale", CONSENT, "deny", message=LOOKED, codes=("no_basis",)),
    Case("a firm is protected too", CONSENT, "deny", company(), LOOKED, codes=("no_basis",)),
    Case("a text without consent", CONSENT, "deny", message=LOOKED | SMS, codes=("no_basis",)),
    Case(
        "consent",
        CONSENT,
        "allow",
        agreed(),
        LOOKED,
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "postal_address", "contact_channel"),
    ),
    Case(
        "a request for consent",
        ONCE,
        "deny",
        message=LOOKED | {"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    # Customers.
    Case("a sale, similar products", CUSTOMERS, "allow", sale(), LOOKED, basis="existing_customer"),
    Case("a sale, by text", CUSTOMERS, "allow", sale(), LOOKED | SMS, basis="existing_customer"),
    Case(
        "a firm that bought",
        CUSTOMERS,
        "allow",
        sale() | company(),
        LOOKED,
        basis="existing_customer",
    ),
    Case(
        "talks about a sale",
        CUSTOMERS,
        "deny",
        sale(trigger="negotiation"),
        LOOKED,
        codes=("trigger_not_covered",),
    ),
    Case(
        "other products",
        CUSTOMERS,
        "deny",
        sale(relation="other"),
        LOOKED,
        codes=("products_not_similar",),
    ),
    Case(
        "another seller",
        CUSTOMERS,
        "deny",
        sale(without="same_person"),
        LOOKED,
        codes=("other_seller",),
    ),
    Case(
        "an address from elsewhere",
        CUSTOMERS,
        "deny",
        sale(without="directly"),
        LOOKED,
        codes=("not_collected_directly",),
    ),
    Case(
        "no way to object at the sale",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        LOOKED,
        codes=("no_opt_out_offered",),
    ),
    Case(
        "objected at the sale",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        LOOKED,
        codes=("refused_at_collection",),
    ),
    Case(
        "objected later",
        STOP,
        "deny",
        sale() | {"objection": "active"},
        LOOKED,
        codes=("objected",),
    ),
    # The registry: it blocks customers and consents.
    Case(
        "a customer in the registry",
        REGISTRY,
        "deny",
        sale() | {"listed": ("ZA-NCC",)},
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a consent in the registry",
        REGISTRY,
        "deny",
        agreed(listed=("ZA-NCC",)),
        LOOKED,
        codes=("register_listed",),
    ),
    Case("no look into the registry", REGISTRY, "deny", sale(), codes=("register_stale",)),
    Case(
        "a look more than 31 days ago",
        REGISTRY,
        "deny",
        agreed(),
        imported("ZA-NCC", at=SEND_AT - timedelta(days=31, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "a look 31 days ago",
        REGISTRY,
        "allow",
        agreed(),
        imported("ZA-NCC", at=SEND_AT - timedelta(days=31)),
        basis="consent",
    ),
    # Hours, by the time of dispatch.
    Case(
        "a weekday at eight", HOURS, "allow", sale(), at(2026, 11, 24, 8), basis="existing_customer"
    ),
    Case(
        "a weekday a minute before eight",
        HOURS,
        "deny",
        sale(),
        at(2026, 11, 24, 7, 59),
        codes=("outside_hours",),
    ),
    Case(
        "a weekday a minute before eight in the evening",
        HOURS,
        "allow",
        sale(),
        at(2026, 11, 24, 19, 59),
        basis="existing_customer",
    ),
    Case(
        "a weekday at eight in the evening",
        HOURS,
        "deny",
        sale(),
        at(2026, 11, 24, 20),
        codes=("outside_hours",),
    ),
    Case("Monday at noon", HOURS, "allow", sale(), at(2026, 11, 23, 12), basis="existing_customer"),
    Case("Friday evening", HOURS, "allow", sale(), at(2026, 11, 27, 19), basis="existing_customer"),
    Case(
        "a text on Saturday a minute before one",
        HOURS,
        "allow",
        sale(),
        at(2026, 11, 28, 12, 59) | SMS,
        basis="existing_customer",
    ),
    Case(
        "a text on Sunday",
        HOURS,
        "deny",
        sale(),
        at(2026, 11, 29, 11) | SMS,
        codes=("outside_hours",),
    ),
    Case(
        "a sole trader at home on Sunday",
        HOURS,
        "deny",
        sale() | {"person": "sole_trader"},
        at(2026, 11, 29, 11),
        codes=("outside_hours",),
    ),
    Case(
        "a sole trader at home at night",
        HOURS,
        "deny",
        sale() | {"person": "sole_trader"},
        at(2026, 11, 24, 22),
        codes=("outside_hours",),
    ),
    Case(
        "Saturday at nine", HOURS, "allow", sale(), at(2026, 11, 28, 9), basis="existing_customer"
    ),
    Case(
        "Saturday at half past eight",
        HOURS,
        "deny",
        sale(),
        at(2026, 11, 28, 8, 30),
        codes=("outside_hours",),
    ),
    Case("Saturday at one", HOURS, "deny", sale(), at(2026, 11, 28, 13), codes=("outside_hours",)),
    Case("Sunday", HOURS, "deny", sale(), at(2026, 11, 29, 11), codes=("outside_hours",)),
    Case(
        "a holiday on a Wednesday",
        HOLIDAYS,
        "deny",
        sale(),
        at(2026, 12, 16, 11),
        codes=("outside_hours",),
    ),
    Case(
        "a holiday on a Saturday",
        HOLIDAYS,
        "deny",
        sale(),
        at(2026, 12, 26, 10),
        codes=("outside_hours",),
    ),
    Case(
        "the Monday after a holiday on a Sunday",
        HOLIDAYS,
        "deny",
        sale("2027-03-01"),
        at(2027, 3, 22, 11),
        codes=("outside_hours",),
    ),
    Case(
        "the Tuesday after it",
        HOLIDAYS,
        "allow",
        sale("2027-03-01"),
        at(2027, 3, 23, 11),
        basis="existing_customer",
    ),
    Case(
        "Sunday, to somebody who agreed otherwise",
        HOURS,
        "allow",
        agreed(),
        at(2026, 11, 29, 11),
        basis="consent",
    ),
    Case(
        "Sunday, to a firm",
        "GN R293: consumers at home",
        "allow",
        sale() | company(),
        at(2026, 11, 29, 11),
        basis="existing_customer",
    ),
    Case(
        "Sunday, and nobody knows whether it is a firm",
        HOURS,
        "deny",
        sale() | {"person": "unknown", "capacity": "unknown"},
        at(2026, 11, 29, 11),
        codes=("outside_hours",),
    ),
    # Service.
    Case(
        "a delivery note on Sunday, listed or not",
        "POPIA s. 69: direct marketing only",
        "allow",
        {"listed": ("ZA-NCC",), "objection": "active"},
        at(2026, 11, 29, 11) | {"message_class": "service"},
        basis="service",
    ),
)
