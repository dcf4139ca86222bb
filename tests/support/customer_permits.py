"""A shop that may write to its customers: a pack adopted, categories published, sales told, permits asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from consentledger.db.installation import Installation
from consentledger.kernel.clock import now
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits import service as permits
from consentledger.permits.preparing import Prepared
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued
from tests.factories import create_published_form
from tests.support.customers import record, sale
from tests.support.evidence import Path

ANNA, BERT = "anna@example.com", "bert@example.net"
TREE = ("books", "garden", "garden/seeds", "garden/tools")


def open_shop(installation: Installation) -> Path:
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


def sold(*people: str, reference: str = "A-1", **more: Any) -> list[dict[str, Any]]:
    """Rows of sales of last month that lack nothing."""
    on = (now() - timedelta(days=30)).date().isoformat()
    values = {"on": on, "told_use_for_advertising": True, "capacity": "private", **more}
    return [sale(person, reference, **values) for person in people]


def bought(path: Path, address: str = ANNA, reference: str = "A-1", **more: Any) -> None:
    """Records a sale of last month."""
    rows = sold(address, reference=reference, **more)
    record(path.installation.database, path.made.organisation_id, *rows)


def prepared(path: Path, *addresses: str, purpose: int = 0) -> Prepared:
    """Reads what is known of whom seeds shall be advertised to."""
    made = path.made
    command = IssuePermits(
        made.organisation_id, made.sender_id, made.purpose_ids[purpose], "email",
        addresses or (ANNA,), "key:test", categories=("garden/seeds",),
    )  # fmt: skip
    return permits.prepare(path.installation.database, command)


def issued(path: Path, asked: Prepared) -> Issued:
    """Issues what was prepared."""
    with path.installation.database.begin() as tx:
        return permits.issue(tx, asked)


def ask(path: Path, *addresses: str, purpose: int = 0) -> Issued:
    """Asks for permits to advertise seeds."""
    return issued(path, prepared(path, *addresses, purpose=purpose))


def said(issued: Issued) -> list[tuple[str, str | None, str]]:
    """Verdict, basis and codes of each row."""
    verdicts = [issued.rulings[row.verdict].verdict for row in issued.rows]
    return [(one.verdict, one.basis, one.codes) for one in verdicts]
