"""Requests that nobody confirmed: one consent.expired each; what they said is erased afterwards (erasure)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.consents import queries, rules
from consentledger.consents.models import ConsentRequest
from consentledger.consents.rows import request_write
from consentledger.contacts import service as contacts
from consentledger.contacts.together import write_together
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import now


def contacts_due(session: Session, *, limit: int = 100) -> list[tuple[UUID, UUID]]:
    """Reads whose requests have ended unconfirmed: (organisation, contact), oldest first."""
    rows = session.execute(
        select(ConsentRequest.organisation_id, ConsentRequest.contact_id)
        .where(ConsentRequest.state == rules.OPEN, ConsentRequest.expires_at <= now())
        .order_by(ConsentRequest.expires_at)
        .limit(limit)
    )
    return [(row.organisation_id, row.contact_id) for row in dict.fromkeys(rows)]


def expire(tx: Tx, organisation_id: UUID, contact_id: UUID) -> int:
    """Ends a contact's requests whose time is over; returns how many. It closes nothing else."""
    contact = contacts.lock(tx, organisation_id, [contact_id]).get(contact_id)
    if contact is None:
        return 0
    due = [
        request
        for request in queries.requests_of_contact(tx.session, organisation_id, contact_id)
        if request.state == rules.OPEN and request.expires_at <= tx.now
    ]
    drafts = [
        Draft(
            "consent.expired",
            {"request": str(request.request_id)},
            actor="worker",
            chain=contact.chain,
        )
        for request in due
    ]
    numbers = dict(
        zip(
            (request.request_id for request in due),
            range(contact.chain.entries, contact.chain.entries + len(due)),
            strict=True,
        )
    )
    writes = [
        request_write(
            n,
            organisation_id,
            request.request_id,
            {
                "state": "expired",
                "entry_numbers": [*request.entry_numbers, numbers[request.request_id]],
            },
        )
        for n, request in enumerate(sorted(due, key=lambda one: one.request_id))
    ]
    if writes:
        write_together(tx, *writes)
    tx.log.append(tx, organisation_id, drafts)
    return len(due)
