"""Australia: Spam Act 2003, ss. 16 to 18 and Schedule 2."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

CONSENT = "Spam Act 2003 s. 16"
INFERRED = "Spam Act 2003 Sch. 2 cl. 2(b)"
ONE_SALE = "ACMA: a single purchase usually makes no inferred consent"
PUBLISHED = "Spam Act 2003 Sch. 2 cl. 4"
WITHDRAWN = "Spam Act 2003 Sch. 2 cl. 6"
IDENTITY = "Spam Act 2003 s. 17"
ASKING = "Spam Act 2003: asking for consent is a commercial message"
BUSINESS = {"capacity": "role_relevant"}
SMS = {"channel": "sms"}


def member(**more: str) -> dict[str, object]:
    return sale("2020-05-01", trigger="ongoing_relationship", **more)


CASES = (
    Case("neither consent nor relationship", CONSENT, "deny", codes=("no_basis",)),
    Case("a company without consent", CONSENT, "deny", company(), codes=("no_basis",)),
    Case("a text message without consent", CONSENT, "deny", message=SMS, codes=("no_basis",)),
    Case(
        "express consent",
        CONSENT,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "contact_channel", "offer_opt_out"),
        absent=("postal_address", "subject_label"),
    ),
    Case(
        "express consent by one act",
        CONSENT,
        "allow",
        agreed(grade="single_opt_in"),
        SMS,
        basis="consent",
    ),
    Case(
        "consent from years ago, not used",
        CONSENT,
        "allow",
        agreed("2021-05-01"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "a message that asks for consent",
        ASKING,
        "deny",
        message={"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    # Inferred from a relationship.
    Case(
        "a membership that goes on",
        INFERRED,
        "allow",
        member(),
        basis="existing_customer",
        duties=("offer_opt_out",),
    ),
    Case("a membership, by text", INFERRED, "allow", member(), SMS, basis="existing_customer"),
    Case("a firm's account", INFERRED, "allow", member() | company(), basis="existing_customer"),
    Case(
        "a membership that ended",
        INFERRED,
        "deny",
        member(ended_on="2026-11-01"),
        codes=("relationship_ended",),
    ),
    Case(
        "things one does not expect of it",
        "Spam Act 2003 Sch. 2 cl. 2(b): reasonably inferred (strict reading)",
        "deny",
        member(relation="other"),
        codes=("products_not_similar",),
    ),
    Case(
        "another company's member",
        INFERRED,
        "deny",
        member(without="same_person"),
        codes=("other_seller",),
    ),
    Case("a single purchase", ONE_SALE, "deny", sale(), codes=("trigger_not_covered",)),
    Case("an inquiry", ONE_SALE, "deny", sale(trigger="inquiry"), codes=("trigger_not_covered",)),
    Case(
        "a member who withdrew",
        WITHDRAWN,
        "deny",
        member() | {"objection": "active"},
        codes=("objected",),
    ),
    Case(
        "a member whose complaint closed it",
        WITHDRAWN,
        "deny",
        member() | {"closed": True},
        codes=("exception_closed",),
    ),
    # Published role addresses.
    Case(
        "a published address, about the role",
        PUBLISHED,
        "allow",
        disclosed() | BUSINESS,
        basis="existing_customer",
    ),
    Case(
        "a published address of a company",
        PUBLISHED,
        "allow",
        disclosed() | company(),
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
        "a published private address",
        PUBLISHED,
        "deny",
        disclosed(),
        codes=("capacity_not_covered",),
    ),
    Case(
        "published with a note against advertising",
        PUBLISHED,
        "deny",
        sale(trigger="published_address", refused=True) | BUSINESS,
        codes=("refused_at_collection",),
    ),
    Case(
        "a business card is no publication",
        PUBLISHED,
        "deny",
        disclosed("business_card") | BUSINESS,
        codes=("trigger_not_covered",),
    ),
    # Factual messages.
    Case(
        "a factual message says who sent it",
        IDENTITY,
        "allow",
        message={"message_class": "service"},
        basis="service",
        duties=("identify_sender", "contact_channel"),
        absent=("offer_opt_out",),
    ),
    Case(
        "a factual message after a stop",
        "Spam Act 2003 Sch. 1 cl. 2",
        "allow",
        {"objection": "active"},
        {"message_class": "service"},
        basis="service",
    ),
    Case(
        "a factual message that asks for a review",
        "Spam Act 2003 s. 6",
        "deny",
        message={"message_class": "service", "contains": ("review_request",)},
        codes=("no_basis",),
    ),
    Case(
        "at any hour",
        CONSENT,
        "allow",
        agreed(),
        {"send_at": datetime(2026, 12, 25, 15, tzinfo=UTC)},
        basis="consent",
    ),
    Case(
        "the Do Not Call Register is about calls",
        "Do Not Call Register Act 2006",
        "allow",
        agreed(listed=("AU-DNCR",)),
        SMS,
        basis="consent",
    ),
)
