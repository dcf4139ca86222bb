"""United Kingdom: PECR 2003 regs. 22 and 23, with the charities' rule of 5 February 2026."""

from __future__ import annotations

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, sale

OPT_IN = "PECR 2003 reg. 22(1), (2)"
SOFT = "PECR 2003 reg. 22(3)"
CHARITY = "PECR 2003 reg. 22(3A)"
START = "SI 2026/82: reg. 22(3A) from 5 February 2026; ICO guidance of 28 April 2026: not for older addresses"
CORPORATE = "PECR 2003 reg. 22(1): individual subscribers only"
IDENTITY = "PECR 2003 reg. 23"
STOP = "UK GDPR art. 21(3)"
FPS = "Fundraising Preference Service: an objection to the charity that it names"
SMS = {"channel": "sms"}
UNKNOWN = {"person": "unknown", "capacity": "unknown"}


def gift(on: str, **more: str) -> dict[str, object]:
    return sale(on, trigger="donation", **more)


CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "confirmed consent",
        OPT_IN,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "contact_channel"),
        absent=("postal_address", "subject_label"),
    ),
    Case(
        "consent by one act is enough",
        OPT_IN,
        "allow",
        agreed(grade="single_opt_in"),
        basis="consent",
    ),
    Case(
        "a request not yet confirmed",
        "UK GDPR art. 7(1)",
        "deny",
        {"consent": "requested"},
        codes=("not_confirmed",),
    ),
    Case("text messages are electronic mail", OPT_IN, "deny", message=SMS, codes=("no_basis",)),
    # Existing customers.
    Case(
        "a sale, similar products",
        SOFT,
        "allow",
        sale(),
        basis="existing_customer",
        duties=("offer_opt_out",),
    ),
    Case("the same by SMS", SOFT, "allow", sale(), SMS, basis="existing_customer"),
    Case(
        "negotiations for a sale",
        SOFT,
        "allow",
        sale(trigger="negotiation"),
        basis="existing_customer",
    ),
    Case(
        "a sale ten years ago: no clock",
        SOFT,
        "allow",
        sale("2016-11-24"),
        basis="existing_customer",
    ),
    Case("a mere inquiry", SOFT, "deny", sale(trigger="inquiry"), codes=("trigger_not_covered",)),
    Case(
        "another company's sale", SOFT, "deny", sale(without="same_person"), codes=("other_seller",)
    ),
    Case(
        "an address from a third party",
        SOFT,
        "deny",
        sale(without="directly"),
        codes=("not_collected_directly",),
    ),
    Case(
        "no opt-out when it was collected",
        SOFT,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "not told that it is for advertising",
        SOFT,
        "allow",
        sale(without="told"),
        basis="existing_customer",
    ),
    Case(
        "refused when it was collected",
        SOFT,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "dissimilar products", SOFT, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
    Case(
        "products that nobody mapped",
        SOFT,
        "deny",
        sale(relation="unmapped"),
        codes=("products_not_similar",),
    ),
    Case(
        "a stop after the sale", STOP, "deny", sale() | {"objection": "active"}, codes=("objected",)
    ),
    Case(
        "closed by a complaint",
        STOP,
        "deny",
        sale() | {"closed": True},
        codes=("exception_closed",),
    ),
    # Charities.
    Case(
        "a supporter of a charity since the first day",
        CHARITY,
        "allow",
        gift("2026-02-05"),
        basis="existing_customer",
        accepts=("donation",),
    ),
    Case(
        "a supporter from the day before",
        START,
        "deny",
        gift("2026-02-04"),
        codes=("too_old",),
        accepts=("donation",),
    ),
    Case(
        "an organisation that is no charity",
        CHARITY,
        "deny",
        gift("2026-06-01"),
        codes=("risk_not_accepted",),
    ),
    Case(
        "collected by a trading subsidiary",
        CHARITY,
        "deny",
        gift("2026-06-01", without="same_person"),
        codes=("other_seller",),
        accepts=("donation",),
    ),
    Case(
        "a supporter who was offered no opt-out",
        CHARITY,
        "deny",
        gift("2026-06-01", without="offered"),
        codes=("no_opt_out_offered",),
        accepts=("donation",),
    ),
    Case(
        "something else than the charity's purposes",
        CHARITY,
        "deny",
        gift("2026-06-01", relation="other"),
        codes=("products_not_similar",),
        accepts=("donation",),
    ),
    Case(
        "a request through the preference service is a stop",
        FPS,
        "deny",
        gift("2026-06-01") | {"objection": "active"},
        codes=("objected",),
        accepts=("donation",),
    ),
    Case(
        "no list to look into for anyone else",
        FPS,
        "allow",
        sale() | {"listed": ("GB-FPS",)},
        basis="existing_customer",
    ),
    # Persons.
    Case(
        "a company's address",
        CORPORATE,
        "allow",
        company(),
        basis="opt_out",
        duties=("identify_sender", "offer_opt_out"),
    ),
    Case("a company by SMS", CORPORATE, "allow", company("unknown"), SMS, basis="opt_out"),
    Case(
        "a company that said stop", STOP, "deny", company(objection="active"), codes=("objected",)
    ),
    Case(
        "a company whose withdrawal closed it",
        STOP,
        "deny",
        company(closed=True),
        codes=("opt_out_closed",),
    ),
    Case(
        "a sole trader is an individual",
        CORPORATE,
        "deny",
        {"person": "sole_trader", "capacity": "role_relevant"},
        codes=("no_basis",),
    ),
    Case(
        "a sole trader who bought",
        SOFT,
        "allow",
        sale() | {"person": "sole_trader", "capacity": "role_relevant"},
        basis="existing_customer",
    ),
    Case("nobody knows what kind of person", CORPORATE, "deny", UNKNOWN, codes=("no_basis",)),
    Case(
        "the same with a sale: either way it may go",
        SOFT,
        "allow",
        sale() | UNKNOWN,
        basis="opt_out",
    ),
    Case(
        "consent not used for two years fades",
        "ICO: consent degrades over time",
        "allow",
        agreed("2024-11-23"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    # Service messages.
    Case(
        "an order's confirmation after a stop",
        OPT_IN,
        "allow",
        {"objection": "active"},
        {"message_class": "service"},
        basis="service",
    ),
    Case(
        "an order's confirmation with an offer in it",
        OPT_IN,
        "deny",
        message={"message_class": "service", "contains": ("promotion",)},
        codes=("no_basis",),
    ),
    Case(
        "at any hour of the night",
        OPT_IN,
        "allow",
        agreed(),
        {"send_at": SEND_AT.replace(hour=2)},
        basis="consent",
    ),
)
