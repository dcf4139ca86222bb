"""The packs against the table of research that they were written from, where that table is at hand.

The table stands beside the checkout, not in it (`../shared/law/jurisdictions.json`): without it this is skipped.
Where a pack differs on purpose, the reason stands here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consentledger.law.reading import packs

TABLE = Path(__file__).resolve().parents[4] / "shared" / "law" / "jurisdictions.json"
ROWS: list[dict[str, Any]] = json.loads(TABLE.read_text())["rows"] if TABLE.exists() else []
pytestmark = pytest.mark.skipif(not ROWS, reason=f"no table of research at {TABLE}")

# The table's words in the packs' words; what a pack reads more strictly is told apart below.
WORDS = {
    "opt_in": "opt_in",
    "opt_out": "opt_out",
    "opt_out_role_related_only": "opt_out_role_relevant",
    "opt_out_impersonal_only": "opt_out_impersonal",
    "opt_in_express_written": "opt_in_written",
    "opt_in_or_dnc_checked": "opt_out_register",
    "opt_out_after_dnc_check": "opt_out_register",
    "opt_out_with_iys_check": "opt_out_register",
    "no_specific_rule": "no_rule",
    "opt_in_dlt_registered": "opt_in",
    "opt_in_from_2027_05": "no_rule",
    "opt_in_telecom_customers": "opt_in",
    "consent_or_legitimate_interest": "opt_in",
    "member_state_choice": "opt_in",
}
OTHERWISE = {
    ("IE", "email", "natural"): "a person's business address: reg. 13(2), the role rule",
    ("IE", "email", "legal"): "plain opt-out: reg. 13(4)",
    ("FR", "sms", "legal"): "the role rule holds for SMS as for e-mail",
    ("FI", "sms", "legal"): "the role rule holds for SMS as for e-mail",
    ("BE", "sms", "legal"): "the rule of impersonal addresses holds for SMS as for e-mail",
    ("NO", "sms", "legal"): "the rule of impersonal addresses holds for SMS as for e-mail",
    ("PT", "email", "legal"): "opt-out only after a look into the list of legal persons",
    ("PT", "sms", "legal"): "opt-out only after a look into the list of legal persons",
    ("HU", "email", "legal"): "a draft: the strict reading",
    ("HU", "sms", "legal"): "a draft: the strict reading",
    ("HK", "email", "natural"): "personal data need consent or no objection: the strict reading",
    ("HK", "sms", "natural"): "personal data need consent or no objection: the strict reading",
    ("HK", "sms", "legal"): "numbers of firms stand in the register too",
    ("IN", "email", "legal"): "no rule is read as consent",
    ("BR", "email", "legal"): "no rule is read as consent",
    ("MX", "sms", "natural"): "opt-out only after a look into the register of consumers",
    ("TR", "sms", "legal"): "merchants' refusals stand in the register",
}
# Corrections 6 and 8 of the research, and what is known only from memory.
CONFIDENCE = {"CZ": "medium", "PT": "medium", "GR": "medium"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_a_row_has_its_pack(row: dict[str, Any]) -> None:
    code = row["code"]
    pack = packs.pack(f"{code}@1")
    assert pack.exception.available is row["exception"]["available"]
    assert pack.confidence == CONFIDENCE.get(code, row["confidence"])
    assert (pack.status == "draft") is (pack.confidence == "low")
    told = {
        ("email", "natural"): row["email_natural"],
        ("email", "legal"): row["email_legal_engine_default"],
        ("sms", "natural"): row["sms_natural"],
        ("sms", "legal"): row["sms_legal"],
    }
    for (channel, person), word in told.items():
        ours = getattr(pack.regime[channel], person)
        if (code, channel, person) in OTHERWISE:
            assert ours != WORDS.get(word), "not otherwise any more"
        else:
            assert ours == WORDS[word], (channel, person)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_an_exception_is_no_wider_than_the_row(row: dict[str, Any]) -> None:
    code, told = row["code"], row["exception"]
    law = packs.pack(f"{code}@1").exception
    if not told["available"]:
        return
    assert set(law.channels) <= set(told["channels"])
    persons = {*told["applies_to"], *(("sole_trader",) if "natural" in told["applies_to"] else ())}
    # Correction 1: in Belgium legal persons too; correction 6: in Portugal legal customers too.
    persons |= {"legal"} if code in ("BE", "PT") else set()
    assert set(law.persons) <= persons
    assert law.same_legal_person or not told["same_legal_person_only"]
    assert bool(law.periods) or told["max_age_days"] is None
    assert any(one.renewed_by_message for one in law.periods) is bool(
        told["age_clock_renewed_by_each_message"]
    )


def test_every_pack_has_its_row() -> None:
    assert {name.partition("@")[0] for name in packs.names()} == {row["code"] for row in ROWS}
