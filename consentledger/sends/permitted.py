"""Reads what reports are held against: the permits as they were issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from consentledger.kernel.clock import from_text
from consentledger.permits.models import Permit, PermitBatch
from consentledger.sends.rules import Permitted

Place = tuple[int, int]
"""(batch, row)"""
CHUNK = 1_000


def permits_at(
    session: Session, organisation_id: UUID, places: Iterable[Place]
) -> dict[Place, Permitted]:
    """Returns the permits at these places of an organisation; others are missing."""
    wanted = sorted(set(places))
    batches = _batches(session, organisation_id, sorted({batch for batch, _ in wanted}))
    found: dict[Place, Permitted] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(Permit.batch, Permit.row_number, Permit.contact_id, Permit.verdict).where(
            Permit.organisation_id == organisation_id,
            tuple_(Permit.batch, Permit.row_number).in_(wanted[start : start + CHUNK]),
        )
        for batch, row, contact_id, verdict in session.execute(query):
            found[batch, row] = permitted(batches[batch], verdict, contact_id)
    return found


def permitted(batch: Any, verdict: int, contact_id: UUID | None) -> Permitted:
    """Returns what a permit's row says, of its batch (`message`, `verdicts`, `channel` and its instants)."""
    kept: Mapping[str, Any] = batch.verdicts[verdict]
    # The first edition wrote `allowed`, and knew no end of its own.
    allowed = kept["verdict"] == "allow" if "verdict" in kept else kept["allowed"]
    basis = kept["basis"] if allowed else None
    if basis is not None and batch.message.get("class") == "tracking":
        basis = "tracking"  # a permit to track is no message, and no clock runs from it
    until = _until(batch.valid_until_at, kept.get("until")) if allowed else None
    return Permitted(contact_id, batch.channel, basis, batch.issued_at, until)


def _until(batch_ends_at: datetime, own: str | None) -> datetime:
    return min(batch_ends_at, from_text(own)) if own else batch_ends_at


def _batches(session: Session, organisation_id: UUID, numbers: Sequence[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for start in range(0, len(numbers), CHUNK):
        query = select(PermitBatch.__table__).where(
            PermitBatch.organisation_id == organisation_id,
            PermitBatch.batch.in_(numbers[start : start + CHUNK]),
        )
        found |= {row.batch: row for row in session.execute(query)}
    return found
