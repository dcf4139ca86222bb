"""Erasures that a restored database forgot: the journal's records ask for them again, by contact, not by address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from consentledger.contacts import service as contacts
from consentledger.contacts.rules import EVERYTHING
from consentledger.contacts.suppression import carried
from consentledger.db.unit_of_work import Tx
from consentledger.erasure.holds import held
from consentledger.erasure.models import Erasure
from consentledger.erasure.requesting import METHOD, suppress_address
from consentledger.kernel.clock import from_text
from consentledger.kernel.errors import ConflictError

_log = structlog.get_logger("consentledger.erasure")


def replay(tx: Tx, record: Mapping[str, Any]) -> int:
    """Suppresses again, and asks again for every erasure of a record that this database knows the contact of.

    The worker then logs and destroys as ever: what was logged before may stand in the log twice, which harms
    nobody. Returns how many were asked again; done twice it asks for none.
    """
    organisation_id = UUID(record["organisation"])
    locked = contacts.lock(
        tx, organisation_id, [UUID(one["contact"]) for one in record["erasures"]]
    )
    _suppress(tx, organisation_id, record)
    covered = held(tx.session, organisation_id)
    asked = 0
    for one in sorted(record["erasures"], key=lambda item: str(item["contact"])):
        contact = locked.get(UUID(one["contact"]))
        if contact is None:
            continue
        if one["whole"]:
            suppress_address(tx, organisation_id, contact.address, METHOD)
        key = (organisation_id, UUID(one["erasure"]))
        row = tx.session.get(Erasure, key, with_for_update=True)
        if row is not None and row.state != "requested":
            continue  # it waits for its destruction, or for a hold, in the restored database too
        if row is None:
            row = Erasure(
                organisation_id=organisation_id,
                erasure_id=UUID(one["erasure"]),
                state="held" if covered.covers(contact.contact_id) else "requested",
                ground=one["ground"],
                actor=one["actor"],
                contact_id=contact.contact_id,
                requested_at=from_text(one["requested_at"]),
            )
            tx.session.add(row)
        row.due_at = tx.now
        row.entry_number = contact.chain.entries if one["whole"] else one["entries"]
        asked += 1
    tx.session.flush()
    return asked


def _suppress(tx: Tx, organisation_id: UUID, record: Mapping[str, Any]) -> None:
    """For contacts that this database does not know, too; a hash of older keys is wrapped by the newer ones."""
    keys = contacts.hold_suppression(tx, organisation_id)
    for text in record["suppressed"]:
        try:
            hashed = carried(keys, bytes.fromhex(text), record["suppression_keys"])
        except ConflictError as error:
            # Its key came after the backup. Nothing is permitted without a consent, and those are gone too.
            _log.error("a suppression is not replayed", reason=str(error))
            continue
        contacts.suppress(
            tx, organisation_id, hashed, scope=EVERYTHING, reason=METHOD, until_at=None
        )
