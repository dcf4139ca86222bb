"""Mexico: LFPC arts. 17 and 18, and the register of numbers (REPEP)."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.law.cases.table import SEND_AT, Case, agreed, company, imported

OPT_OUT = "LFPC art. 17: opt-out (ITU survey)"
CONTENT = "LFPC art. 17: particulars of provider and agency"
REPEP = "LFPC art. 18, 18 bis"
DOUBT = "LFPC art. 18 bis; whether consent overrides is doubtful (strict reading)"
LOOKED = imported("MX-REPEP") | {"channel": "sms"}

CASES = (
    Case(
        "an e-mail nobody asked for",
        CONTENT,
        "allow",
        basis="opt_out",
        duties=(
            "identify_sender",
            "postal_address",
            "contact_channel",
            "offer_opt_out",
            "authority_contact=PROFECO",
        ),
    ),
    Case("an e-mail to a firm", OPT_OUT, "allow", company(), basis="opt_out"),
    Case(
        "an address that nobody recorded",
        OPT_OUT,
        "deny",
        {"recipient": "stranger"},
        codes=("no_basis",),
    ),
    Case("said stop", OPT_OUT, "deny", {"objection": "active"}, codes=("objected",)),
    Case("a text, number not listed", REPEP, "allow", message=LOOKED, basis="opt_out"),
    Case(
        "a text to a listed number",
        REPEP,
        "deny",
        {"listed": ("MX-REPEP",)},
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a text on consent to a listed number",
        DOUBT,
        "deny",
        agreed(listed=("MX-REPEP",)),
        LOOKED,
        codes=("register_listed",),
    ),
    Case(
        "a text after a look more than 30 days ago",
        REPEP,
        "deny",
        message=LOOKED | imported("MX-REPEP", at=SEND_AT - timedelta(days=30, seconds=1)),
        codes=("register_stale",),
    ),
    Case(
        "a text to a firm: the register is for consumers",
        REPEP,
        "allow",
        company(),
        {"channel": "sms"},
        basis="opt_out",
    ),
    Case(
        "a text after a look 30 days ago",
        REPEP,
        "allow",
        message=LOOKED | imported("MX-REPEP", at=SEND_AT - timedelta(days=30)),
        basis="opt_out",
    ),
)
