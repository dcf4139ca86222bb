"""Italy: Codice privacy art. 130, and the Garante's minimum."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

OPT_IN = "Codice privacy art. 130(1), (2)"
CUSTOMERS = "Codice privacy art. 130(4)"
PROOF = "Garante no. 330 of 4 June 2025"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case(
        "a confirmed sign-up",
        PROOF,
        "allow",
        agreed(),
        basis="consent",
        duties=("identify_sender", "offer_opt_out"),
    ),
    Case(
        "a sign-up that nobody confirmed",
        PROOF,
        "deny",
        agreed(grade="single_opt_in"),
        codes=("double_opt_in_missing",),
    ),
    Case(
        "consent that is only attested",
        PROOF,
        "review",
        agreed(grade="attested"),
        codes=("double_opt_in_missing",),
    ),
    Case("a company is a contraente too", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case("info@ of a company", OPT_IN, "deny", company("impersonal"), codes=("no_basis",)),
    Case("a company with consent", OPT_IN, "allow", company(**agreed()), basis="consent"),
    Case("an SMS without consent", OPT_IN, "deny", message={"channel": "sms"}, codes=("no_basis",)),
    Case("an SMS with consent", OPT_IN, "allow", agreed(), {"channel": "sms"}, basis="consent"),
    # Soft spam: e-mail only.
    Case(
        "a customer, by e-mail",
        CUSTOMERS,
        "allow",
        sale(),
        basis="existing_customer",
        duties=("offer_opt_out",),
    ),
    Case(
        "a customer, by SMS",
        CUSTOMERS,
        "deny",
        sale(),
        {"channel": "sms"},
        codes=("exception_off",),
    ),
    Case(
        "a customer that is a company",
        CUSTOMERS,
        "deny",
        company(**sale()),
        codes=("exception_off",),
    ),
    Case(
        "perhaps a company",
        CUSTOMERS,
        "deny",
        sale() | {"person": "unknown"},
        codes=("exception_off",),
    ),
    Case("another seller", CUSTOMERS, "deny", sale(without="same_person"), codes=("other_seller",)),
    Case(
        "not from the customer",
        CUSTOMERS,
        "deny",
        sale(without="directly"),
        codes=("not_collected_directly",),
    ),
    Case(
        "no completed sale",
        CUSTOMERS,
        "deny",
        sale(trigger="negotiation"),
        codes=("trigger_not_covered",),
    ),
    Case(
        "other products", CUSTOMERS, "deny", sale(relation="other"), codes=("products_not_similar",)
    ),
    Case(
        "not told at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "refused at the start",
        CUSTOMERS,
        "deny",
        sale(refused=True),
        codes=("refused_at_collection",),
    ),
    Case(
        "refused in a later message",
        CUSTOMERS,
        "deny",
        sale() | {"closed": True},
        codes=("exception_closed",),
    ),
    Case(
        "the register of objections is for calls and letters",
        "Registro pubblico delle opposizioni",
        "allow",
        agreed(listed=("IT-RPO",)),
        basis="consent",
    ),
    Case(
        "marked as advertising",
        "D.lgs. 70/2003 art. 8",
        "allow",
        sale(),
        basis="existing_customer",
        duties=("recognisable_as_advertising",),
    ),
    Case(
        "unused for two years",
        "GDPR art. 7(1)",
        "allow",
        agreed("2024-11-20"),
        basis="consent",
        duties=("refresh_consent",),
    ),
    Case("an objection", CUSTOMERS, "deny", agreed(objection="active"), codes=("objected",)),
)
