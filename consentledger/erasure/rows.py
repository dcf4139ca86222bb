"""Every table that knows a contact, and how its rows go; a test compares this list with the schema."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CursorResult, Delete, delete, update

from consentledger.consents.models import ConfirmationMail, Consent, ConsentRequest
from consentledger.contacts.models import Contact, Suppression
from consentledger.contacts.service import LockedRow
from consentledger.db.models import ContactEntry, Opening
from consentledger.db.unit_of_work import Tx
from consentledger.outbox.models import OutboxRow
from consentledger.stops.models import StopRequest

CHUNK = 500
# What becomes of each table with a contact's or a key's id in it when a contact goes.
TABLES = {
    "contact": "deleted",
    "contact_entry": "deleted",
    "contact_key": "deleted",
    "opening": "deleted",
    "consent_request": "deleted",
    "consent": "deleted",
    "outbox": "deleted",
    "confirmation_mail": "contact forgotten, keyed hash kept for 90 days (not me)",
    "stop_request": "contact forgotten",
    "permit": "kept: the contact's id alone names nobody any more",
}


def delete_contact(tx: Tx, contact: LockedRow) -> None:
    """Deletes a contact's rows, behind `destroy_contact_keys`: what was sealed under its key never opens again."""
    org, contact_id, key_id = contact.organisation_id, contact.contact_id, contact.key_id
    for model in (ConfirmationMail, StopRequest):
        tx.session.execute(
            update(model)
            .where(model.organisation_id == org, model.contact_id == contact_id)
            .values(contact_id=None)
        )
    _delete(
        tx, delete(OutboxRow).where(OutboxRow.organisation_id == org, OutboxRow.key_id == key_id)
    )
    _delete(tx, delete(Opening).where(Opening.organisation_id == org, Opening.key_id == key_id))
    for owned in (ContactEntry, ConsentRequest, Consent, Contact):
        _delete(
            tx,
            delete(owned).where(owned.organisation_id == org, owned.contact_id == contact_id),
        )


def delete_openings(tx: Tx, organisation_id: UUID, indexes: Sequence[int]) -> None:
    """Deletes the openings of entries."""
    for start in range(0, len(indexes), CHUNK):
        part = list(indexes[start : start + CHUNK])
        _delete(
            tx,
            delete(Opening).where(
                Opening.organisation_id == organisation_id, Opening.entry_index.in_(part)
            ),
        )


def delete_requests(tx: Tx, organisation_id: UUID, request_ids: Sequence[UUID]) -> None:
    """Deletes requests."""
    for start in range(0, len(request_ids), CHUNK):
        part = sorted(request_ids[start : start + CHUNK])
        _delete(
            tx,
            delete(ConsentRequest).where(
                ConsentRequest.organisation_id == organisation_id,
                ConsentRequest.request_id.in_(part),
            ),
        )


def delete_closed_mails(tx: Tx) -> int:
    """Deletes confirm links whose 90 days are over, unless a living contact needs them as a record."""
    return _delete(
        tx,
        delete(ConfirmationMail).where(
            ConfirmationMail.closes_at <= tx.now, ConfirmationMail.contact_id.is_(None)
        ),
    )


def delete_ended_suppressions(tx: Tx) -> int:
    """Deletes keyed hashes whose block is over."""
    return _delete(tx, delete(Suppression).where(Suppression.until_at <= tx.now))


def _delete(tx: Tx, statement: Delete) -> int:
    result = tx.session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount) if isinstance(result, CursorResult) else 0
