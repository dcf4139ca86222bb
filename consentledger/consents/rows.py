"""Consents' rows follow the standing, which follows the entries: one statement for all that changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite

from consentledger.consents.models import Consent
from consentledger.contacts.service import LockedContact
from consentledger.db.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import from_text

_KEPT = ("request_id", "wording_id", "link_id", "confirmed_at")


def save_consents(
    tx: Tx,
    contact: LockedContact,
    first: int,
    drafts: Sequence[Draft],
    link_id: bytes | None = None,
) -> None:
    """Writes the rows of every consent that an entry from number `first` on changed.

    The contact's standing has been moved on by `drafts` (contacts.service.record); `link_id` is the confirm
    link that a confirmation came by.
    """
    changed = [
        (key, item) for key, item in contact.standing["consents"].items() if item["n"] >= first
    ]
    if not changed:
        return
    confirmations = {
        draft.values["consent"]: draft for draft in drafts if draft.kind == "consent.confirmed"
    }
    rows = [
        _row(contact, key, item, confirmations.get(item["id"]), link_id)
        for key, item in sorted(changed, key=lambda pair: str(pair[1]["id"]))
    ]
    insert = sqlite.insert if tx.database.name == "sqlite" else postgresql.insert
    for confirmed in (True, False):
        part = [row for row in rows if (row["state"] == "confirmed") == confirmed]
        if not part:
            continue
        statement = insert(Consent).values(part)
        columns = ("state", "changed_at", "entry_number", *(_KEPT if confirmed else ()))
        tx.session.execute(
            statement.on_conflict_do_update(
                index_elements=["organisation_id", "consent_id"],
                set_={name: statement.excluded[name] for name in columns},
            )
        )


def _row(
    contact: LockedContact,
    key: str,
    item: dict[str, Any],
    confirmation: Draft | None,
    link_id: bytes | None,
) -> dict[str, Any]:
    sender, purpose, channel = key.split("/", 2)
    at: datetime = from_text(item["at"])
    values = confirmation.values if confirmation else {}
    return {
        "organisation_id": contact.organisation_id,
        "consent_id": UUID(item["id"]),
        "contact_id": contact.contact_id,
        "sender_id": UUID(sender),
        "purpose_id": UUID(purpose),
        "channel": channel,
        "state": item["state"],
        "request_id": UUID(str(values["request"])) if values else None,
        "wording_id": UUID(str(values["wording_id"])) if values else None,
        "link_id": link_id if values else None,
        "confirmed_at": at if values else None,
        "changed_at": at,
        "entry_number": item["n"],
    }
