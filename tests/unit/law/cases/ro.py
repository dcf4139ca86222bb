"""Romania: law 506/2004 against law 365/2002, read strictly."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

EMAIL = "law 365/2002 art. 6(1)"
SMS = "law 506/2004 art. 12(2)"

CASES = (
    Case("neither consent nor sale", EMAIL, "deny", codes=("no_basis",)),
    Case("consent", EMAIL, "allow", agreed(), basis="consent"),
    Case("a customer, by e-mail", EMAIL, "deny", sale(), codes=("exception_off",)),
    Case(
        "a company that is a customer, by e-mail",
        EMAIL,
        "deny",
        company(**sale()),
        codes=("exception_off",),
    ),
    Case("a customer, by SMS", SMS, "allow", sale(), {"channel": "sms"}, basis="existing_customer"),
    Case(
        "a company that is a customer, by SMS",
        SMS,
        "deny",
        company(**sale()),
        {"channel": "sms"},
        codes=("exception_off",),
    ),
    Case(
        "no opt-out at collection, by SMS",
        SMS,
        "deny",
        sale(without="offered"),
        {"channel": "sms"},
        codes=("no_opt_out_offered",),
    ),
    Case(
        "a free account, by SMS",
        "C-654/23",
        "deny",
        sale(trigger="sale_indirect_remuneration"),
        {"channel": "sms"},
        codes=("risk_not_accepted",),
    ),
)
