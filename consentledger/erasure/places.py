"""Where a contact stands in batches: permits and reports alike are rows of a batch, and go in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.unit_of_work import Tx
from consentledger.permits import erasing as permits
from consentledger.sends import erasing as sends
from consentledger.sends import queries as reports

Place = tuple[int, int, int]
"""(entry index, batch, row)"""


def places_of(
    session: Session, organisation_id: UUID, contact_ids: Iterable[UUID]
) -> dict[UUID, list[Place]]:
    """Reads (entry index, batch, row) of every permit and report that names these contacts, sorted."""
    wanted = list(contact_ids)
    issued = permits.places_of(session, organisation_id, wanted)
    told = reports.places_of(session, organisation_id, wanted)
    return {one: sorted([*issued[one], *told[one]]) for one in issued}


def erase_places(tx: Tx, organisation_id: UUID, places: Iterable[tuple[int, int]]) -> Counter[str]:
    """Takes the person out of these rows, (batch, row), and keeps their lines' hashes; returns how many, by table."""
    wanted = sorted(set(places))
    batches = sends.batches_among(tx.session, organisation_id, {batch for batch, _ in wanted})
    issued = [place for place in wanted if place[0] not in batches]
    told = [place for place in wanted if place[0] in batches]
    return Counter(
        {
            "permit": permits.erase_places(tx, organisation_id, issued),
            "message_sent": sends.erase_places(tx, organisation_id, told),
        }
    )
