"""A person's wish to be erased: suppressed and objected at once, logged and destroyed soon (GDPR art. 17)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts import address as addresses
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts.rules import EVERYTHING
from consentledger.db.keystore.store import KeyStore
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import rows
from consentledger.erasure.commands import EraseContact, Preview, Receipt
from consentledger.erasure.holds import held
from consentledger.erasure.models import Erasure
from consentledger.erasure.policies import policy
from consentledger.erasure.rules import COLLECT_AFTER, WAITING, check_ground
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.stops.rules import objection
from consentledger.stops.service import save_stop

METHOD = "erasure"


def request_erasure(tx: Tx, command: EraseContact) -> Receipt:
    """Suppresses the address and records its objection at once; what is recorded of it goes soon after.

    The same statements and the same answer for every address, known or not. Asked again while it waits, it
    is the same erasure. InputError names what is amiss with the address or the ground.
    """
    check_ground(command.ground)
    org = command.organisation_id
    contact = contacts.upsert(tx, org, addresses.parse(command.address, "address"))
    suppress_address(tx, org, contact.address, METHOD)
    row = _waiting(tx.session, org, contact.contact_id)
    if row is None:
        row = _add(tx, command, contact.contact_id)
    if command.now:
        row.due_at = min(row.due_at, tx.now)
    if row.entry_number == contact.chain.entries:  # nothing came since: asked twice
        tx.session.flush()
        return receipt_of(row)
    row.entry_number = contact.chain.entries + 1
    tx.session.flush()
    values = objection("organisation", None, None, "email", method=METHOD)
    draft = Draft("objection.recorded", values, actor=command.actor, chain=contact.chain)
    save_stop(tx, contact, draft)
    tx.log.append(tx, org, [draft])
    return receipt_of(row)


def suppress_address(tx: Tx, organisation_id: UUID, address: str, reason: str) -> bytes:
    """Denies every permit for an address, without the address, until the person confirms anew; returns its hash."""
    keys = contacts.hold_suppression(tx, organisation_id)
    hashed = contacts.suppression_hash(keys, addresses.fold(address))
    contacts.suppress(tx, organisation_id, hashed, scope=EVERYTHING, reason=reason, until_at=None)
    return hashed


def preview(session: Session, keystore: KeyStore, organisation_id: UUID, address: str) -> Preview:
    """Returns what an erasure of this address would destroy, and changes nothing."""
    folded = addresses.fold_parsed(addresses.parse(address, "address"))
    lookup = contact_queries.lookup_hash(keystore.organisation(session, organisation_id), folded)
    found = contact_queries.contact_by_lookup(session, organisation_id, lookup)
    days = policy(session, organisation_id).keep_for_claims_days
    if found is None:
        return Preview({}, {}, days, held(session, organisation_id).everything)
    counted = rows.count_contact(session, organisation_id, found.contact_id, found.key_id)
    openings = rows.count_openings(session, organisation_id, found.contact_id)
    return Preview(counted, openings, days, held(session, organisation_id).covers(found.contact_id))


def receipt(session: Session, organisation_id: UUID, erasure_id: UUID) -> Receipt:
    """Reads what became of an erasure; NotFoundError when this organisation has none such."""
    row = session.get(Erasure, (organisation_id, erasure_id))
    if row is None:
        raise NotFoundError("there is no such erasure")
    return receipt_of(row)


def receipts(session: Session, organisation_id: UUID, *, limit: int = 100) -> list[Receipt]:
    """Reads an organisation's erasures, newest first."""
    query = select(Erasure).where(Erasure.organisation_id == organisation_id)
    ordered = query.order_by(Erasure.erasure_id.desc()).limit(limit)
    return [receipt_of(row) for row in session.scalars(ordered)]


def receipt_of(row: Erasure) -> Receipt:
    """Makes the receipt of an erasure's row."""
    return Receipt(
        organisation_id=row.organisation_id,
        erasure_id=row.erasure_id,
        state=row.state,
        ground=row.ground,
        requested_at=row.requested_at,
        due_at=row.due_at,
        logged_at=row.logged_at,
        entry_index=row.entry_index,
        leaf_hash=row.leaf_hash,
        destroyed_at=row.destroyed_at,
        kept_until=row.kept_until,
        gone=row.gone,
    )


def _waiting(session: Session, organisation_id: UUID, contact_id: UUID) -> Erasure | None:
    return session.scalar(
        select(Erasure)
        .where(
            Erasure.organisation_id == organisation_id,
            Erasure.contact_id == contact_id,
            Erasure.state.in_(WAITING),
        )
        .with_for_update()
    )


def _add(tx: Tx, command: EraseContact, contact_id: UUID) -> Erasure:
    covered = held(tx.session, command.organisation_id).covers(contact_id)
    row = Erasure(
        organisation_id=command.organisation_id,
        erasure_id=uuid7(),
        state="held" if covered else "requested",
        ground=command.ground,
        actor=command.actor,
        contact_id=contact_id,
        entry_number=-1,  # none is its own yet
        requested_at=tx.now,
        due_at=tx.now + COLLECT_AFTER,
    )
    tx.session.add(row)
    return row
