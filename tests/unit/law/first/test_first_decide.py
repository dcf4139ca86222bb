"""The decision on the consent basis: a table from the sources, and properties that hold for any facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentledger.law.first.decide import decide
from consentledger.law.first.model import (
    CONSENT_STATES,
    OBJECTIONS,
    RECIPIENTS,
    Facts,
    facts_from_states,
)
from consentledger.law.first.packs import default_pack

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BASE = Facts("marketing", "email", "record", "confirmed", "none")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        # Directive 2002/58/EC art. 13(1): prior consent; GDPR art. 4(11): by a clear affirmative act.
        ({}, "consent"),
        ({"consent": "none"}, "no_basis"),
        ({"recipient": "stranger", "consent": "none"}, "no_basis"),
        # GDPR art. 7(1): the controller must be able to show it, so a post alone is not enough.
        ({"consent": "requested"}, "not_confirmed"),
        ({"consent": "expired"}, "expired"),
        ({"consent": "lapsed"}, "lapsed"),
        ({"consent": "declined"}, "declined"),
        # GDPR art. 7(3): withdrawn at any time, with effect from then on.
        ({"consent": "withdrawn"}, "withdrawn"),
        ({"consent": "paused"}, "paused"),
        # GDPR art. 21(2), (3): after an objection no direct marketing, whatever else stands.
        ({"objection": "active"}, "objected"),
        ({"objection": "active", "consent": "withdrawn"}, "objected,withdrawn"),
        ({"message_class": "tracking"}, "consent"),
        # The strictest reading of what is unknown.
        ({"message_class": "service"}, "class_not_covered"),
        ({"channel": "sms"}, "channel_not_covered"),
        ({"consent": "perhaps"}, "fact_unclear"),
        ({"objection": "perhaps"}, "fact_unclear"),
        ({"recipient": "perhaps"}, "fact_unclear"),
        ({"recipient": "invalid", "consent": "none"}, "invalid_address"),
        ({"recipient": "duplicate", "consent": "none"}, "duplicate"),
    ],
)
def test_each_fact_gets_the_verdict_of_its_source(changes: dict[str, str], codes: str) -> None:
    verdict = decide(replace(BASE, **changes), default_pack(), NOW)
    assert verdict.codes == codes
    assert verdict.allowed is (codes == "consent")
    assert verdict.basis == ("consent" if verdict.allowed else None)
    assert bool(verdict.duties) is verdict.allowed
    for reason in verdict.reasons:
        assert reason.rule.startswith("consent_only@1#")
        assert "art. " in reason.source


def test_a_pack_that_is_not_in_force_allows_nothing() -> None:
    before = datetime(2018, 5, 24, 23, 59, 59, tzinfo=UTC)
    assert decide(BASE, default_pack(), before).codes == "pack_not_in_force"
    ended = replace(default_pack(), valid_until=NOW.date())
    assert decide(BASE, ended, NOW).codes == "pack_not_in_force"


words = st.one_of(st.text(max_size=12), st.sampled_from(CONSENT_STATES + OBJECTIONS + RECIPIENTS))
any_facts = st.builds(Facts, words, words, words, words, words)


@given(any_facts)
def test_it_is_total_deterministic_and_allows_one_pattern_only(facts: Facts) -> None:
    verdict = decide(facts, default_pack(), NOW)
    assert verdict == decide(facts, default_pack(), NOW)
    assert verdict.reasons
    if verdict.allowed:
        assert facts.message_class in ("marketing", "tracking")
        assert facts == replace(BASE, message_class=facts.message_class)


@given(any_facts, st.sampled_from(CONSENT_STATES), st.sampled_from(OBJECTIONS))
def test_tightening_a_fact_never_turns_a_denial_into_permission(
    facts: Facts, consent: str, objection: str
) -> None:
    if decide(facts, default_pack(), NOW).allowed:
        return
    tighter = replace(facts, objection="active")
    assert not decide(tighter, default_pack(), NOW).allowed
    if consent != "confirmed":
        assert not decide(replace(facts, consent=consent), default_pack(), NOW).allowed


def test_an_auditor_derives_the_facts_from_states() -> None:
    said = {"message_class": "marketing", "channel": "email"}
    replayed = facts_from_states(**said, consent_state="confirmed", objection="none", contact="c")
    assert replayed == BASE
    for reasons, recipient in (
        ("invalid_address", "invalid"),
        ("duplicate", "duplicate"),
        ("no_basis", "stranger"),
        ("consent", "stranger"),  # a permit for nobody that claims to be allowed is not believed
    ):
        asserted = facts_from_states(
            **said, consent_state="confirmed", objection="none", contact=None, reasons=reasons
        )
        assert asserted.recipient == recipient
        assert not decide(asserted, default_pack(), NOW).allowed
