"""China: mail measures of 2006 and Advertising Law."""

from __future__ import annotations

from tests.unit.law.cases.table import Case, agreed, company, sale

CONSENT = "Measures for Internet E-mail Services art. 13(2)"
LABEL = "Measures for Internet E-mail Services art. 13(3)"
LAW = "Advertising Law art. 43"
STOP = "Measures for Internet E-mail Services art. 14"

CASES = (
    Case("without consent", CONSENT, "deny", codes=("no_basis",)),
    Case("a firm without consent", CONSENT, "deny", company(), codes=("no_basis",)),
    Case("a customer without consent", LAW, "deny", sale(), codes=("exception_off",)),
    Case(
        "explicit consent",
        LABEL,
        "allow",
        agreed(),
        basis="consent",
        duties=("subject_label=AD", "contact_channel", "identify_sender"),
    ),
    Case(
        "a text on consent has no subject to label",
        LAW,
        "allow",
        agreed(),
        {"channel": "sms"},
        basis="consent",
        absent=("subject_label",),
    ),
    Case("a text without consent", LAW, "deny", message={"channel": "sms"}, codes=("no_basis",)),
    Case("refused", STOP, "deny", agreed() | {"objection": "active"}, codes=("objected",)),
    Case(
        "an e-mail address for refusals",
        STOP,
        "allow",
        agreed(),
        basis="consent",
        duties=("stop_by_email",),
    ),
)
