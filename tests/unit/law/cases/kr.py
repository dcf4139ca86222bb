"""Korea: the network act's art. 50 and its decree: six calendar months by Korean time, label, night, languages."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

CONSENT = "Network Act art. 50(1)"
CUSTOMERS = "Network Act art. 50(1) no. 1; decree art. 61(1)"
PAID = "decree art. 61(1): a paid transaction"
KST = "decree art. 61(1): six calendar months, by Korean time"
LABEL = "Network Act art. 50(4); decree art. 62 and annex 6"
LANGUAGES = "decree annex 6: Korean and English"
NIGHT = "Network Act art. 50(3); decree art. 61(2)"
STOP = "Network Act art. 50(2)"
NOTICE = "Network Act art. 50(8); decree art. 62-3: a notice, and no expiry"


def on(*at: int) -> dict[str, object]:
    return {"send_at": datetime(*at, tzinfo=UTC)}


def text(*at: int) -> dict[str, object]:
    return on(*at) | {"channel": "sms"}


def bought(on: str = "2026-10-01", **more: str) -> dict[str, object]:
    return sale(on, **({"relation": "same_kind"} | more))


CASES = (
    Case("neither consent nor sale", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm is protected too", CONSENT, "deny", company(), codes=("no_basis",)),
    Case(
        "consent",
        LABEL,
        "allow",
        agreed(),
        basis="consent",
        duties=(
            "subject_label=(광고)",
            "postal_address",
            "contact_channel",
            "identify_sender",
            "offer_opt_out",
        ),
    ),
    Case(
        "the way out is told in two languages",
        LANGUAGES,
        "allow",
        agreed(),
        basis="consent",
        duties=("statement_language=ko", "statement_language=en"),
    ),
    Case("consent by one act", CONSENT, "allow", agreed(grade="single_opt_in"), basis="consent"),
    Case(
        "silence after two years keeps the consent",
        NOTICE,
        "allow",
        agreed("2020-11-24"),
        basis="consent",
    ),
    Case(
        "consent given on a leap day lives on",
        NOTICE,
        "allow",
        agreed("2024-02-29"),
        on(2026, 3, 1, 3),
        basis="consent",
    ),
    # Customers: the same kind of goods, paid for, collected directly, six months.
    Case(
        "bought the same kind",
        CUSTOMERS,
        "allow",
        bought(),
        basis="existing_customer",
        duties=("subject_label=(광고)",),
    ),
    Case(
        "the same by text in the day",
        CUSTOMERS,
        "allow",
        bought(),
        text(2026, 11, 24, 3),
        basis="existing_customer",
        duties=("subject_label=(광고)", "telephone_opt_out"),
    ),
    Case("a firm that bought", CUSTOMERS, "allow", bought() | company(), basis="existing_customer"),
    Case(
        "merely similar goods",
        CUSTOMERS,
        "deny",
        bought(relation="similar"),
        codes=("products_not_similar",),
    ),
    Case(
        "a free account",
        PAID,
        "deny",
        bought(trigger="sale_indirect_remuneration"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "talks about a sale",
        PAID,
        "deny",
        bought(trigger="negotiation"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "an address that was not collected directly",
        CUSTOMERS,
        "deny",
        bought(without="directly"),
        codes=("not_collected_directly",),
    ),
    Case(
        "another seller", CUSTOMERS, "deny", bought(without="same_person"), codes=("other_seller",)
    ),
    Case(
        "refused at the sale", STOP, "deny", bought(refused=True), codes=("refused_at_collection",)
    ),
    Case("said stop", STOP, "deny", bought() | {"objection": "active"}, codes=("objected",)),
    Case(
        "no opt-out was offered at the sale",
        "decree art. 61(1): not asked",
        "allow",
        bought(without="offered"),
        basis="existing_customer",
    ),
    Case(
        "a published address is no ground",
        CONSENT,
        "deny",
        disclosed() | {"capacity": "role_relevant"},
        codes=("trigger_not_covered",),
    ),
    # The clock.
    Case(
        "six months to the day",
        KST,
        "allow",
        bought("2026-05-24"),
        on(2026, 11, 24, 3),
        basis="existing_customer",
    ),
    Case("a day more", KST, "deny", bought("2026-05-23"), on(2026, 11, 24, 3), codes=("too_old",)),
    Case(
        "a minute before midnight in Seoul",
        KST,
        "allow",
        bought("2026-05-24"),
        on(2026, 11, 24, 14, 59),
        basis="existing_customer",
    ),
    Case(
        "midnight in Seoul, still the 24th by UTC",
        KST,
        "deny",
        bought("2026-05-24"),
        on(2026, 11, 24, 15),
        codes=("too_old",),
    ),
    Case(
        "sold on 31 August: until the end of February",
        KST,
        "allow",
        bought("2026-08-31"),
        on(2027, 2, 28, 3),
        basis="existing_customer",
    ),
    Case(
        "sold on 31 August, sent on 1 March",
        KST,
        "deny",
        bought("2026-08-31"),
        on(2027, 3, 1, 3),
        codes=("too_old",),
    ),
    Case(
        "sold on 28 August, sent on a leap day",
        KST,
        "deny",
        bought("2027-08-28"),
        on(2028, 2, 29, 3),
        codes=("too_old",),
    ),
    Case(
        "sold on 29 August, sent on a leap day",
        KST,
        "allow",
        bought("2027-08-29"),
        on(2028, 2, 29, 3),
        basis="existing_customer",
    ),
    # Night: texts only.
    Case(
        "a text a minute before nine in the evening",
        NIGHT,
        "allow",
        agreed(),
        text(2026, 11, 24, 11, 59),
        basis="consent",
    ),
    Case(
        "a text at nine in the evening",
        NIGHT,
        "deny",
        agreed(),
        text(2026, 11, 24, 12),
        codes=("outside_hours",),
    ),
    Case(
        "a text a minute before eight in the morning",
        NIGHT,
        "deny",
        agreed(),
        text(2026, 11, 23, 22, 59),
        codes=("outside_hours",),
    ),
    Case(
        "a text at eight in the morning",
        NIGHT,
        "allow",
        agreed(),
        text(2026, 11, 23, 23),
        basis="consent",
    ),
    Case("an e-mail at night", NIGHT, "allow", agreed(), on(2026, 11, 24, 17), basis="consent"),
    # Service.
    Case(
        "a receipt has no label",
        "decree annex 6: advertising only",
        "allow",
        message={"message_class": "service"},
        basis="service",
        absent=("subject_label",),
    ),
    Case(
        "a survey in a receipt is advertising",
        CONSENT,
        "deny",
        message={"message_class": "service", "contains": ("survey",)},
        codes=("no_basis",),
    ),
)
