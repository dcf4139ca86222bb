"""Entries whose contact's key did not survive: they stay shut, and a log.erasure says so (the auditor's rule)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.db.fsck.system import SystemEntries
from consentledger.db.installation import Installation
from consentledger.db.log.entries import Draft
from consentledger.db.models import LogCheckpoint, LogLeaf, Opening
from consentledger.erasure.rules import parts_of, ranges_of
from consentledger.kernel.clock import now

LOST = "lost"
CHUNK = 1_000


def log_lost(installation: Installation, organisation_id: UUID) -> int:
    """Appends log.erasure, reason `lost`, for what does not open any more; returns how many entries. Idempotent."""
    with installation.database.snapshot() as session:
        lost = sorted(_lost(installation, session, organisation_id))
    if lost:
        drafts = [
            Draft("log.erasure", {}, actor="operator", plain=plain)
            for plain in parts_of(ranges_of(lost), reason=LOST)
        ]
        with installation.database.begin() as tx:
            tx.log.append(tx, organisation_id, drafts)
    return len(lost)


def _lost(installation: Installation, session: Session, organisation_id: UUID) -> Iterator[int]:
    # What was signed in this database opened then; only entries that were put back since can be shut.
    first = session.scalar(
        select(func.max(LogCheckpoint.size)).where(LogCheckpoint.organisation_id == organisation_id)
    )
    system = SystemEntries(session, organisation_id)
    low, moment = first or 0, now()
    while True:
        leaves = select(LogLeaf.entry_index, LogLeaf.appended_at).where(
            LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index >= low
        )
        rows = session.execute(leaves.order_by(LogLeaf.entry_index).limit(CHUNK)).all()
        if not rows:
            return
        low = rows[-1].entry_index + 1
        keys = _keys(session, organisation_id, rows[0].entry_index, low)
        known = installation.keystore.contact_keys_many(
            session, organisation_id, sorted({key for key in keys.values() if key})
        )
        for index, at in rows:
            shut = index not in keys or (keys[index] is not None and keys[index] not in known)
            if shut and not system.excused(index, "core", at, moment):
                yield index


def _keys(session: Session, organisation_id: UUID, low: int, high: int) -> dict[int, UUID | None]:
    query = select(Opening.entry_index, Opening.key_id).where(
        Opening.organisation_id == organisation_id,
        Opening.opening_class == "core",
        Opening.entry_index >= low,
        Opening.entry_index < high,
    )
    rows = session.execute(query)
    return {row.entry_index: row.key_id for row in rows}
