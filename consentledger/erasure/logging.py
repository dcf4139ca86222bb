"""What the log says before anything goes: plans become log.erasure entries, and work for the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.erasure.rules import Plan, parts_of, permit_ranges_of, ranges_of
from consentledger.outbox import service as outbox

DESTROY = "erasure.destroy"


def log_erasures(
    tx: Tx, organisation_id: UUID, plans: Mapping[str, Sequence[Plan]]
) -> dict[str, Appended]:
    """Enqueues the destruction and appends log.erasure, by reason; the last act of a verb.

    Many people's indexes stand in one entry as sorted ranges, so that it does not show which belong together.
    Returns the first entry of each reason.
    """
    enqueue_destruction(tx, organisation_id, [plan for some in plans.values() for plan in some])
    drafts: list[Draft] = []
    first: dict[str, int] = {}
    for reason in sorted(plans):
        parts = parts_of(
            ranges_of(index for plan in plans[reason] for index in plan.indexes),
            permit_ranges_of(place for plan in plans[reason] for place in plan.permits),
            reason=reason,
        )
        if parts:
            first[reason] = len(drafts)
            drafts += [Draft("log.erasure", {}, actor="worker", plain=plain) for plain in parts]
    appended = tx.log.append(tx, organisation_id, drafts)
    return {reason: appended[position] for reason, position in first.items()}


def enqueue_destruction(
    tx: Tx, organisation_id: UUID, plans: Sequence[Plan], *, run_at: datetime | None = None
) -> None:
    """Enqueues the destruction of what these plans name; it must be in the log by this transaction's commit."""
    if plans:
        payload = {"plans": [plan.as_json() for plan in plans]}
        outbox.enqueue(tx, organisation_id, DESTROY, payload, run_at=run_at)
