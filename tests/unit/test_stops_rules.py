"""What a stop ends, and what its receipt shows."""

from __future__ import annotations

from uuid import uuid4

import pytest

from consentledger.contacts import standing as standings
from consentledger.kernel.clock import now, to_text
from consentledger.ledger.kinds import kind
from consentledger.stops import rules

SENDER, OTHER, PURPOSE = uuid4(), uuid4(), uuid4()


def subscribed() -> standings.Standing:
    """One confirmed consent."""
    values = {"consent": "c", "sender": str(SENDER), "purpose": str(PURPOSE), "channel": "email"}
    at = to_text(now())
    return standings.apply(standings.empty(), "consent.confirmed", values, n=0, at=at)


def test_what_is_alive() -> None:
    standing = subscribed()
    assert rules.alive(standing, SENDER, PURPOSE, "email") == "c"
    assert rules.alive(standing, SENDER, PURPOSE, "sms") is None
    assert rules.alive(standing, OTHER, PURPOSE, "email") is None
    assert rules.alive_under(standing, None)
    assert rules.alive_under(standing, SENDER)
    assert not rules.alive_under(standing, OTHER)
    assert not rules.alive_under(standings.empty(), None)


@pytest.mark.parametrize(
    ("scope", "sender", "purpose"),
    [("purpose", True, True), ("sender", True, False), ("organisation", False, False)],
)
def test_an_objection_names_only_what_its_scope_needs(
    scope: str, sender: bool, purpose: bool
) -> None:
    values = rules.objection(scope, SENDER, PURPOSE, "email", method="page")
    assert (values["sender"] is not None, values["purpose"] is not None) == (sender, purpose)
    common = {"actor", "at", "software", "contact", "address", "prev"}
    assert set(values) | common == set(kind("objection.recorded").by_name)


def test_a_withdrawal_has_the_fields_of_its_kind() -> None:
    values = rules.withdrawal("c", SENDER, PURPOSE, "email", method="page", permit=None)
    common = {"actor", "at", "software", "contact", "address", "prev"}
    assert set(values) | common == set(kind("consent.withdrawn").by_name)


def test_a_receipt_shows_nothing_about_the_person() -> None:
    assert {"at", "method", "scope"} == rules.SHOWN
