"""From a sale to a permit and to an objection, on both engines, told by a bundle that verifies offline."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits import service as permits
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued
from tests.factories import create_published_form
from tests.support.customers import lapse, record, sale
from tests.support.evidence import Path

ANNA, BERT = "anna@example.com", "bert@example.net"
TREE = ("books", "garden", "garden/seeds", "garden/tools")


@pytest.fixture
def path(installation: Installation) -> Path:
    """A shop that decides by Germany's pack and says that garden things are similar."""
    made = create_published_form(
        installation.database, installation.settings, titles=("weekly offers", "events")
    )
    org = made.organisation_id
    with installation.database.begin() as tx:
        publish_categories(tx, PublishCategories(org, TREE, ("garden",), "operator"))
    with installation.database.begin() as tx:
        adopt_packs(tx, AdoptPacks(org, (Adoption("DE"),), "operator"))
    return Path(installation, made)


def bought(path: Path, address: str = ANNA, reference: str = "A-1", **more: Any) -> None:
    """Records a sale of last month."""
    on = (now() - timedelta(days=30)).date().isoformat()
    values = {"on": on, "told_use_for_advertising": True, "capacity": "private", **more}
    record(
        path.installation.database, path.made.organisation_id, sale(address, reference, **values)
    )


def ask(path: Path, *addresses: str, purpose: int = 0) -> Issued:
    """Asks for permits to advertise seeds."""
    made = path.made
    command = IssuePermits(
        made.organisation_id, made.sender_id, made.purpose_ids[purpose], "email", addresses or (ANNA,),
        "key:test", categories=("garden/seeds",),
    )  # fmt: skip
    prepared = permits.prepare(path.installation.database, command)
    with path.installation.database.begin() as tx:
        return permits.issue(tx, prepared)


def said(issued: Issued) -> list[tuple[str, str | None, str]]:
    """Verdict, basis and codes of each row."""
    verdicts = [issued.rulings[row.verdict].verdict for row in issued.rows]
    return [(one.verdict, one.basis, one.codes) for one in verdicts]


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
