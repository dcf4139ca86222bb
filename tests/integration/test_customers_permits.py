"""From a sale to a permit and to an objection, on both engines, told by a bundle that verifies offline."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest

from consentledger.db.installation import Installation
from tests.support.customer_permits import ANNA, BERT, ask, bought, open_shop, said
from tests.support.customers import lapse
from tests.support.evidence import Path


@pytest.fixture
def path(installation: Installation) -> Path:
    """A shop that may write to its customers."""
    return open_shop(installation)


def test_a_customer_may_be_written_to_until_they_object(path: Path) -> None:
    bought(path)
    bought(path, BERT, categories=["books"])
    issued = ask(path, ANNA, BERT, "stranger@example.org")
    allowed, other, stranger = said(issued)
    assert allowed[:2] == ("allow", "existing_customer")
    assert other[0] == stranger[0] == "deny"
    assert "products_not_similar" in other[2]
    assert stranger[2] == "no_basis"
    path.leave(issued)
    [after] = said(ask(path))
    assert after[0] == "deny"
    assert "objected" in after[2]
    bought(path, reference="A-2")
    assert said(ask(path))[0][0] == "deny", "no sale opens it again"
    data, report = path.verified(ANNA)
    assert "1 permits and 2 denials" in report.text()
    with zipfile.ZipFile(BytesIO(data)) as bundle:
        names = [name for name in bundle.namelist() if name.startswith("records/customer-")]
        records = [json.loads(bundle.read(name)) for name in names]
    assert len(records) == 2
    assert {one["@type"] for one in records} == {"cl:CustomerExceptionRecord"}
    assert {one["cl:claimedState"] for one in records} == {"closed"}
    assert "dpv:hasConsentStatus" not in records[0], "an exception is never called consent"
    path.verified(BERT)


@pytest.mark.parametrize(
    "more",
    [
        {"refused_at_collection": True},
        {"offered_at_collection": False},
        {"trigger": "inquiry"},
        {"categories": None},
    ],
)
def test_what_does_not_suffice(path: Path, more: dict[str, Any]) -> None:
    bought(path, **more)
    assert said(ask(path))[0][0] == "deny"
    path.verified(ANNA)


def test_what_is_taken_back_carries_nothing(path: Path) -> None:
    bought(path)
    assert said(ask(path))[0][0] == "allow"
    row = {"address": ANNA, "reference": "A-1", "reason": "taken_back"}
    lapse(path.installation.database, path.made.organisation_id, row)
    assert said(ask(path))[0] == ("deny", None, "no_basis")
    path.verified(ANNA)


def test_a_box_that_was_dropped_closes_it(path: Path) -> None:
    bought(path)
    link = path.decide(path.request(ANNA, 0, 1))
    assert link is not None
    path.press(link, keep=1)
    assert said(ask(path))[0][:2] == ("allow", "consent"), "what was kept is consent"
    [after] = said(ask(path, purpose=1))
    assert after[0] == "deny"
    assert "exception_closed" in after[2]
    path.verified(ANNA)
