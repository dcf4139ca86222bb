"""The Netherlands: art. 11.7 Telecommunicatiewet."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, disclosed, sale

OPT_IN = "Telecommunicatiewet art. 11.7(1)"
CUSTOMERS = "Telecommunicatiewet art. 11.7(4), (5)"
PUBLISHED = "Telecommunicatiewet art. 11.7, published addresses"

CASES = (
    Case("neither consent nor sale", OPT_IN, "deny", codes=("no_basis",)),
    Case("a company without consent", OPT_IN, "deny", company(), codes=("no_basis",)),
    Case("consent", OPT_IN, "allow", agreed(), basis="consent", duties=("stop_address_or_number",)),
    Case(
        "an e-mail that asks for consent",
        OPT_IN,
        "deny",
        message={"contains": ("consent_request",)},
        codes=("no_basis",),
    ),
    Case("a customer, by the book", CUSTOMERS, "allow", sale(), basis="existing_customer"),
    Case(
        "a customer, by SMS, after July 2026",
        "change of 1 July 2026: calls only",
        "allow",
        sale(),
        {"channel": "sms"},
        basis="existing_customer",
    ),
    Case(
        "a customer that is a company",
        CUSTOMERS,
        "allow",
        company(**sale()),
        basis="existing_customer",
    ),
    Case(
        "no opt-out at collection",
        CUSTOMERS,
        "deny",
        sale(without="offered"),
        codes=("no_opt_out_offered",),
    ),
    Case(
        "sold by another company",
        CUSTOMERS,
        "deny",
        sale(without="same_person"),
        codes=("other_seller",),
    ),
    Case(
        "a free account: the authority means paid sales",
        "ACM; C-654/23",
        "deny",
        sale(trigger="sale_indirect_remuneration"),
        codes=("risk_not_accepted",),
    ),
    Case(
        "a gift to whom is no charity",
        CUSTOMERS,
        "deny",
        sale(trigger="donation"),
        codes=("risk_not_accepted",),
    ),
    Case(
        "a gift to a charity",
        CUSTOMERS,
        "allow",
        sale(trigger="donation"),
        basis="existing_customer",
        accepts=("donation",),
    ),
    Case(
        "a company's published address",
        PUBLISHED,
        "allow",
        company(**disclosed()),
        basis="existing_customer",
    ),
    Case(
        "a sole trader's published address",
        PUBLISHED,
        "allow",
        disclosed() | {"person": "sole_trader"},
        basis="existing_customer",
    ),
    Case("a person's published address", PUBLISHED, "deny", disclosed(), codes=("exception_off",)),
    Case(
        "a published address, perhaps a person's",
        PUBLISHED,
        "deny",
        disclosed() | {"person": "unknown"},
        codes=("exception_off",),
    ),
    Case(
        "a published address that said no",
        PUBLISHED,
        "deny",
        company(closed=True, **disclosed()),
        codes=("exception_closed",),
    ),
)
