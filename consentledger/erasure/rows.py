"""Every table that knows a contact, and how its rows go; a test compares this list with the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Delete, delete, func, select, update
from sqlalchemy.orm import Session

from consentledger.consents.models import ConfirmationMail, Consent, ConsentRequest
from consentledger.contacts.models import Contact, LastSend, LinkUse, Suppression
from consentledger.contacts.service import LockedRow
from consentledger.customers.models import CustomerRecord
from consentledger.db.models import ContactEntry, Opening
from consentledger.db.unit_of_work import Tx
from consentledger.erasure.models import Erasure, LegalHold
from consentledger.outbox.models import OutboxRow
from consentledger.permits.links import PermitId
from consentledger.permits.models import Permit
from consentledger.sends.models import MessageSent
from consentledger.stops.models import StopRequest

CHUNK = 500
# What becomes of each table with a contact's or a key's id in it when a contact goes.
TABLES = {
    "contact": "deleted",
    "contact_entry": "deleted",
    "contact_key": "deleted",
    "opening": "deleted; kept shut while it is restricted for claims",
    "consent_request": "deleted",
    "consent": "deleted",
    "customer_record": "deleted",
    "outbox": "deleted",
    "confirmation_mail": "deleted by an erasure; at an expiry the contact is forgotten, and the keyed hash kept for "
    "90 days (not me)",
    "stop_request": "contact forgotten",
    "permit": "contact and salt forgotten, the line's hash kept",
    "message_sent": "contact, salt and both hashes forgotten, the line's hash kept",
    "last_send": "deleted; made anew from what is left when the person came back",
    "erasure": "contact forgotten: it is the receipt",
    "legal_hold": "deleted, once released",
    "restriction": "what opens it is sealed to the escrow key until its date",
}
OWNED: tuple[Any, ...] = (
    ContactEntry,
    ConsentRequest,
    Consent,
    CustomerRecord,
    LastSend,
    Contact,
)


def delete_contact(
    tx: Tx, contact: LockedRow, *, shut: bool = False, forget: bool = False
) -> Counter[str]:
    """Deletes a contact's rows, behind `destroy_contact_keys`: what was sealed under its key never opens again.

    `shut` keeps the openings: their key is sealed to the escrow key. `forget` takes its confirm links too.
    Returns how many rows went, by table.
    """
    org, contact_id, key_id = contact.organisation_id, contact.contact_id, contact.key_id
    gone: Counter[str] = Counter()
    if forget:
        gone += _forget_links(tx, org, contact_id)
    for model in (ConfirmationMail, StopRequest, Erasure):
        tx.session.execute(
            update(model)
            .where(model.organisation_id == org, model.contact_id == contact_id)
            .values(contact_id=None),
            execution_options={"synchronize_session": False},
        )
    waiting = delete(OutboxRow).where(OutboxRow.organisation_id == org, OutboxRow.key_id == key_id)
    gone["outbox"] += execute_delete(tx, waiting)
    if not shut:
        indexes = select(ContactEntry.entry_index).where(
            ContactEntry.organisation_id == org, ContactEntry.contact_id == contact_id
        )
        gone["opening"] += delete_openings(tx, org, list(tx.session.scalars(indexes)))
    for owned in (LegalHold, *OWNED):
        named = delete(owned).where(owned.organisation_id == org, owned.contact_id == contact_id)
        gone[owned.__tablename__] += execute_delete(tx, named)
    return gone


def _forget_links(tx: Tx, organisation_id: UUID, contact_id: UUID) -> Counter[str]:
    """Deletes confirm links and what they were used for: `not me` has nothing left to say."""
    mine = (
        ConfirmationMail.organisation_id == organisation_id,
        ConfirmationMail.contact_id == contact_id,
    )
    links = list(tx.session.scalars(select(ConfirmationMail.link_id).where(*mine)))
    used = delete_link_uses(tx, organisation_id, "confirm", links)
    mails = execute_delete(tx, delete(ConfirmationMail).where(*mine))
    return Counter({"link_use": used, "confirmation_mail": mails})


def delete_link_uses(tx: Tx, organisation_id: UUID, capability: str, links: Iterable[bytes]) -> int:
    """Deletes what links were used for; each link is its own 8 bytes."""
    gone = 0
    for part in _chunks(sorted(set(links))):
        gone += execute_delete(
            tx,
            delete(LinkUse).where(
                LinkUse.organisation_id == organisation_id,
                LinkUse.capability == capability,
                LinkUse.link_id.in_(part),
            ),
        )
    return gone


def permit_links(places: Iterable[tuple[int, int]]) -> list[bytes]:
    """Returns the 8 bytes of permits' unsubscribe links, of (batch, row)."""
    return [PermitId(0, batch, row).to_bytes()[4:] for batch, row in places]


def delete_openings(tx: Tx, organisation_id: UUID, indexes: Sequence[int]) -> int:
    """Deletes the openings of entries; returns how many."""
    gone = 0
    for part in _chunks(list(indexes)):
        gone += execute_delete(
            tx,
            delete(Opening).where(
                Opening.organisation_id == organisation_id, Opening.entry_index.in_(part)
            ),
        )
    return gone


def plan_again(tx: Tx, organisation_id: UUID, contact_id: UUID) -> None:
    """Lets the requests of a contact that were on their way out be found once more by whoever ends them."""
    tx.session.execute(
        update(ConsentRequest)
        .where(
            ConsentRequest.organisation_id == organisation_id,
            ConsentRequest.contact_id == contact_id,
            ConsentRequest.state == "erasing",
        )
        .values(state="expired"),
        execution_options={"synchronize_session": False},
    )


def delete_requests(tx: Tx, organisation_id: UUID, request_ids: Sequence[UUID]) -> int:
    """Deletes requests; returns how many."""
    gone = 0
    for part in _chunks(sorted(request_ids)):
        gone += execute_delete(
            tx,
            delete(ConsentRequest).where(
                ConsentRequest.organisation_id == organisation_id,
                ConsentRequest.request_id.in_(part),
            ),
        )
    return gone


def delete_closed_mails(tx: Tx, held: Sequence[UUID] = ()) -> int:
    """Deletes confirm links whose 90 days are over, unless a living contact needs them as a record.

    Organisations that are `held` keep theirs.
    """
    return execute_delete(
        tx,
        delete(ConfirmationMail).where(
            ConfirmationMail.closes_at <= tx.now,
            ConfirmationMail.contact_id.is_(None),
            ConfirmationMail.organisation_id.not_in(held),
        ),
    )


def delete_ended_suppressions(tx: Tx, held: Sequence[UUID] = ()) -> int:
    """Deletes keyed hashes whose block is over; organisations that are `held` keep theirs."""
    return execute_delete(
        tx,
        delete(Suppression).where(
            Suppression.until_at <= tx.now, Suppression.organisation_id.not_in(held)
        ),
    )


def count_contact(
    session: Session, organisation_id: UUID, contact_id: UUID, key_id: UUID
) -> dict[str, int]:
    """Counts the rows that know a contact, by table; permits and reports keep theirs, without the contact."""
    counted: dict[str, int] = {}
    for model in (*OWNED, ConfirmationMail, StopRequest, Permit, MessageSent, LegalHold):
        query = select(func.count()).select_from(model)
        found = session.scalar(
            query.where(model.organisation_id == organisation_id, model.contact_id == contact_id)
        )
        counted[model.__tablename__] = found or 0
    waiting = select(func.count()).select_from(OutboxRow)
    counted["outbox"] = (
        session.scalar(
            waiting.where(OutboxRow.organisation_id == organisation_id, OutboxRow.key_id == key_id)
        )
        or 0
    )
    return {name: count for name, count in sorted(counted.items()) if count}


def count_openings(session: Session, organisation_id: UUID, contact_id: UUID) -> dict[str, int]:
    """Counts the openings of a contact's entries, by class."""
    query = (
        select(Opening.opening_class, func.count())
        .join(
            ContactEntry,
            (ContactEntry.organisation_id == Opening.organisation_id)
            & (ContactEntry.entry_index == Opening.entry_index),
        )
        .where(
            ContactEntry.organisation_id == organisation_id, ContactEntry.contact_id == contact_id
        )
        .group_by(Opening.opening_class)
    )
    found: dict[str, int] = {}
    for name, count in session.execute(query.order_by(Opening.opening_class)):
        found[name] = count
    return found


def execute_delete(tx: Tx, statement: Delete) -> int:
    """Executes a DELETE; returns how many rows went."""
    result = tx.session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount) if isinstance(result, CursorResult) else 0


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
