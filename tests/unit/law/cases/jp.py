"""Japan: Act on Regulation of Transmission of Specified Electronic Mail, art. 3."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

CONSENT = "Specified Electronic Mail Act art. 3(1)(i)"
NOTIFIED = "Specified Electronic Mail Act art. 3(1)(ii)"
BUSINESS = "Specified Electronic Mail Act art. 3(1)(iii)"
PUBLISHED = "Specified Electronic Mail Act art. 3(1)(iv)"
REFUSED = "Specified Electronic Mail Act art. 3(3)"
DISPLAY = "Specified Electronic Mail Act art. 4"


def dealing(**more: str) -> dict[str, object]:
    return sale("2020-05-01", trigger="ongoing_relationship", **more)


CASES = (
    Case("neither consent nor relation", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm whose address was not published", CONSENT, "deny", company(), codes=("no_basis",)),
    Case(
        "consent",
        DISPLAY,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out", "postal_address", "contact_channel"),
        absent=("subject_label",),
    ),
    Case(
        "a text message without consent",
        CONSENT,
        "deny",
        message={"channel": "sms"},
        codes=("no_basis",),
    ),
    Case(
        "doing business, any products",
        BUSINESS,
        "allow",
        dealing(relation="other"),
        basis="existing_customer",
    ),
    Case(
        "business that ended (strict reading)",
        BUSINESS,
        "deny",
        dealing(ended_on="2026-10-01"),
        codes=("relationship_ended",),
    ),
    Case(
        "a single purchase (strict reading)",
        BUSINESS,
        "deny",
        sale(),
        codes=("trigger_not_covered",),
    ),
    Case(
        "handed over a card",
        NOTIFIED,
        "allow",
        sale("2019-04-01", trigger="business_card", relation="unmapped"),
        basis="existing_customer",
    ),
    Case(
        "a card that somebody else passed on",
        NOTIFIED,
        "deny",
        sale(trigger="business_card", without="directly"),
        codes=("not_collected_directly",),
    ),
    Case(
        "a firm's published address",
        PUBLISHED,
        "allow",
        disclosed() | company("impersonal"),
        basis="existing_customer",
    ),
    Case(
        "a private person's published address",
        PUBLISHED,
        "deny",
        disclosed(),
        codes=("exception_off",),
    ),
    Case(
        "published with a word against advertising",
        PUBLISHED,
        "deny",
        sale(trigger="published_address", refused=True) | company(),
        codes=("refused_at_collection",),
    ),
    Case(
        "refused, whatever the relation",
        REFUSED,
        "deny",
        dealing() | {"objection": "active"},
        codes=("objected",),
    ),
)
