"""Poland: art. 398 of the electronic communications law, and no exception for customers."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

OPT_IN = "PKE art. 398"
NO_EXCEPTION = "PKE art. 398: art. 13(2) was not transposed"
COMPANIES = "PKE art. 398: subscribers who are companies"

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
        "marked as commercial",
        "UŚUDE art. 9",
        "allow",
        agreed(),
        basis="consent",
        duties=("recognisable_as_advertising",),
    ),
    Case("an SMS without consent", OPT_IN, "deny", message={"channel": "sms"}, codes=("no_basis",)),
    Case("an SMS with consent", OPT_IN, "allow", agreed(), {"channel": "sms"}, basis="consent"),
    Case("a customer, by the book", NO_EXCEPTION, "deny", sale(), codes=("exception_off",)),
    Case(
        "a customer of yesterday",
        NO_EXCEPTION,
        "deny",
        sale("2026-11-23", relation="same_kind"),
        codes=("exception_off",),
    ),
    Case(
        "a customer, by SMS",
        NO_EXCEPTION,
        "deny",
        sale(),
        {"channel": "sms"},
        codes=("exception_off",),
    ),
    Case(
        "a customer that is a company",
        NO_EXCEPTION,
        "deny",
        company(**sale()),
        codes=("exception_off",),
    ),
    Case(
        "a free account, whatever risk is taken on",
        NO_EXCEPTION,
        "deny",
        sale(trigger="sale_indirect_remuneration"),
        codes=("exception_off",),
        accepts=("sale_indirect_remuneration",),
    ),
    Case(
        "a published address is no consent to all",
        OPT_IN,
        "deny",
        company(**disclosed()),
        codes=("exception_off",),
    ),
    Case("a customer who consented", OPT_IN, "allow", agreed() | sale(), basis="consent"),
    Case(
        "a customer who withdrew",
        "GDPR art. 7(3)",
        "deny",
        agreed(consent="withdrawn") | sale(),
        codes=("withdrawn",),
    ),
    Case("a company without consent", COMPANIES, "deny", company(), codes=("no_basis",)),
    Case("info@ of a company", COMPANIES, "deny", company("impersonal"), codes=("no_basis",)),
    Case("a company with consent", COMPANIES, "allow", company(**agreed()), basis="consent"),
    Case(
        "a sole trader without consent",
        OPT_IN,
        "deny",
        {"person": "sole_trader"},
        codes=("no_basis",),
    ),
    Case(
        "an attested consent", "GDPR art. 7(1)", "allow", agreed(grade="attested"), basis="consent"
    ),
    Case(
        "unused for two years",
        "GDPR art. 7(1)",
        "allow",
        agreed("2024-11-20"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case(
        "a request for consent is advertising",
        OPT_IN,
        "deny",
        message={"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    Case(
        "an order confirmation",
        OPT_IN,
        "allow",
        message={"message_class": "service"},
        basis="service",
    ),
    Case(
        "an order confirmation with a coupon",
        OPT_IN,
        "deny",
        sale(),
        {"message_class": "service", "contains": ("promotion",)},
        codes=("exception_off",),
    ),
    Case(
        "Poland or Germany: no exception",
        NO_EXCEPTION,
        "deny",
        sale() | {"countries": ("DE", "PL")},
        codes=("exception_off",),
    ),
)
