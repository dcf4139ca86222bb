"""Permits on both engines: who is allowed, what is stored, and what the batch's entry says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consentledger.db.installation import Installation
from consentledger.ledger.leaf import check_disclosures, parse_leaf
from consentledger.ledger.permit import Permit, parse_permit, permit_disclosure
from consentledger.permits import queries
from tests.support.permits import Shop, make_shop


@pytest.fixture
def shop(installation: Installation) -> Shop:
    """An organisation with a sender and a purpose."""
    return make_shop(installation.database, installation.settings)


def codes(issued: object) -> list[str]:
    """The reasons of each row of a batch, in order."""
    return [issued.rulings[row.verdict].verdict.codes for row in issued.rows]


def test_each_recipient_gets_a_decision_with_its_reason(shop: Shop) -> None:
    shop.confirm("ann@example.org", "Bea@Example.org", "cid@example.org", "dan@example.org")
    shop.withdraw("cid@example.org")
    shop.object("dan@example.org")
    shop.object("eve@example.org", scope="sender", lasting=timedelta(days=7))
    issued = shop.issue(
        "ann@example.org", "bea@EXAMPLE.ORG", "cid@example.org", "dan@example.org", "eve@example.org",
        "nobody@example.org", "not an address", "ANN@example.org", "",
    )  # fmt: skip
    assert codes(issued) == [
        "consent", "consent", "withdrawn", "objected,withdrawn", "objected,no_basis",
        "no_basis", "invalid_address", "duplicate", "invalid_address",
    ]  # fmt: skip
    assert [row.contact_id is None for row in issued.rows] == [False] * 5 + [True] * 4
