"""How often a confirm link was opened: the one thing a GET may write, and its failure is ignored (promise 3).

It helps to tell scanners from people in a dispute; no IP address, no user agent, and it ends with the request.
"""

from __future__ import annotations

import contextlib

from sqlalchemy import bindparam, func, select, update

from consentledger.consents.models import ConfirmationMail
from consentledger.db.base import Instant
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.kernel.tokens import unpack_link
from consentledger.organisations.models import Organisation

_COUNT = (
    update(ConfirmationMail.__table__)  # type: ignore[arg-type]
    .where(
        ConfirmationMail.organisation_id
        == select(Organisation.organisation_id)
        .where(Organisation.number == bindparam("number"))
        .scalar_subquery(),
        ConfirmationMail.link_id == bindparam("link"),
        ConfirmationMail.state == "open",
    )
    .values(
        fetches=ConfirmationMail.fetches + 1,
        first_fetch_at=func.coalesce(
            ConfirmationMail.first_fetch_at, bindparam("at", type_=Instant())
        ),
    )
)


def count_fetch(database: Database, link_id: bytes) -> None:
    """Counts that a confirm link's page was opened, while it is open; never raises one of our errors."""
    number, own = unpack_link(link_id)
    with contextlib.suppress(ConsentLedgerError), database.autocommit() as connection:
        connection.execute(_COUNT, {"number": number, "link": own, "at": now()})
