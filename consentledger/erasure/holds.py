"""Legal holds: while one covers a contact, or the whole organisation, nothing of it is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consentledger.contacts import address as addresses
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedContact
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.erasure.commands import HoldFacts, PlaceHold, ReleaseHold
from consentledger.erasure.models import Erasure, LegalHold
from consentledger.erasure.rules import check_text
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class Held:
    """What is held in one organisation: everything, or these contacts."""

    everything: bool
    contacts: frozenset[UUID]

    def covers(self, contact_id: UUID | None) -> bool:
        """Says whether nothing of this contact may be destroyed now."""
        return self.everything or contact_id in self.contacts


def held(session: Session, organisation_id: UUID) -> Held:
    """Reads what is held now; under the contacts' locks, where something is destroyed."""
    query = select(LegalHold.contact_id).where(
        LegalHold.organisation_id == organisation_id, LegalHold.released_at.is_(None)
    )
    found = set(session.scalars(query))
    return Held(None in found, frozenset(one for one in found if one is not None))


def organisations_held(session: Session) -> list[UUID]:
    """Reads the organisations that are held as a whole."""
    query = select(LegalHold.organisation_id).where(
        LegalHold.contact_id.is_(None), LegalHold.released_at.is_(None)
    )
    return sorted(set(session.scalars(query)))


def place_hold(tx: Tx, command: PlaceHold) -> HoldFacts:
    """Places a hold and appends hold.placed; NotFoundError when nothing is recorded about the address.

    A hold on an address is an entry of its contact, and ends with it; one on all is the organisation's.
    """
    person = check_text(command.person, "person", 100)
    reason = check_text(command.reason, "reason")
    org = command.organisation_id
    contact = _contact(tx, org, command.address) if command.address is not None else None
    row = LegalHold(
        organisation_id=org,
        hold_id=uuid7(),
        contact_id=contact.contact_id if contact else None,
        reason=reason,
        placed_by=person,
        placed_at=tx.now,
        released_by=None,
        released_at=None,
    )
    tx.session.add(row)
    tx.session.flush()
    _mark(tx, org, row.contact_id, before="requested", after="held")
    values = {"hold": str(row.hold_id), "person": person, "reason": reason}
    _append(tx, org, "hold.placed", values, command.actor, contact)
    return hold_facts(row)


def release_hold(tx: Tx, command: ReleaseHold) -> HoldFacts:
    """Releases a hold and appends hold.released; what waited goes on. NotFoundError when there is none such."""
    person = check_text(command.person, "person", 100)
    org = command.organisation_id
    mine = (LegalHold.organisation_id == org, LegalHold.hold_id == command.hold_id)
    contact_id = tx.session.scalar(select(LegalHold.contact_id).where(*mine))
    locked = contacts.lock(tx, org, [contact_id] if contact_id else [])
    row = tx.session.scalar(select(LegalHold).where(*mine).with_for_update())
    if row is None:
        raise NotFoundError("there is no such hold")
    if row.released_at is not None:
        return hold_facts(row)
    row.released_at, row.released_by = tx.now, person
    tx.session.flush()
    still = held(tx.session, org)
    if not still.everything:
        _mark(tx, org, row.contact_id, before="held", after="requested", but=still.contacts)
    values = {"hold": str(row.hold_id), "person": person}
    contact = locked.get(contact_id) if contact_id else None
    _append(tx, org, "hold.released", values, command.actor, contact)
    return hold_facts(row)


def holds(session: Session, organisation_id: UUID) -> list[HoldFacts]:
    """Reads an organisation's holds, released ones too, oldest first."""
    query = select(LegalHold).where(LegalHold.organisation_id == organisation_id)
    return [hold_facts(row) for row in session.scalars(query.order_by(LegalHold.hold_id))]


def hold_facts(row: LegalHold) -> HoldFacts:
    """Makes the facts of a hold's row; whom it covers is not told again."""
    return HoldFacts(
        row.organisation_id,
        row.hold_id,
        row.contact_id is None,
        row.reason,
        row.placed_by,
        row.placed_at,
        row.released_by,
        row.released_at,
    )


def _contact(tx: Tx, organisation_id: UUID, address: str) -> LockedContact:
    folded = addresses.fold_parsed(addresses.parse(address, "address"))
    lookup = contact_queries.lookup_hash(contacts.organisation_keys(tx, organisation_id), folded)
    found = contact_queries.contact_by_lookup(tx.session, organisation_id, lookup)
    locked = contacts.lock(tx, organisation_id, [found.contact_id] if found else [])
    if found is None or found.contact_id not in locked:
        raise NotFoundError("nothing is recorded about this address")
    return locked[found.contact_id]


def _mark(
    tx: Tx,
    organisation_id: UUID,
    contact_id: UUID | None,
    *,
    before: str,
    after: str,
    but: frozenset[UUID] = frozenset(),
) -> None:
    rows = update(Erasure).where(
        Erasure.organisation_id == organisation_id, Erasure.state == before
    )
    if contact_id is not None:
        rows = rows.where(Erasure.contact_id == contact_id)
    if but:
        rows = rows.where(Erasure.contact_id.not_in(sorted(but)))
    tx.session.execute(rows.values(state=after), execution_options={"synchronize_session": False})


def _append(
    tx: Tx,
    organisation_id: UUID,
    kind: str,
    values: dict[str, str],
    actor: str,
    contact: LockedContact | None,
) -> None:
    draft = Draft(kind, values, actor=actor, chain=contact.chain if contact else None)
    tx.log.append(tx, organisation_id, [draft])
