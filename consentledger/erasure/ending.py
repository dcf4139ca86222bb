"""Plans and logs what has ended by itself: requests that nobody confirmed, pauses, contacts past their retention."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, select, update
from sqlalchemy.orm import Session

from consentledger.consents import queries as consent_queries
from consentledger.consents.models import Consent, ConsentRequest
from consentledger.consents.queries import Request
from consentledger.consents.rules import DECLINED_KEPT, OPEN
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.models import Contact
from consentledger.contacts.service import LockedContact
from consentledger.customers.models import CustomerRecord
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import queries
from consentledger.erasure.holds import held
from consentledger.erasure.logging import log_erasures
from consentledger.erasure.places import places_of
from consentledger.erasure.policies import policy
from consentledger.erasure.requesting import suppress_address
from consentledger.erasure.rules import MIN_RETENTION, Permits, Plan
from consentledger.stops.models import StopRequest

CONTACTS_AT_ONCE = 200


def erase(tx: Tx, organisation_id: UUID, *, limit: int = CONTACTS_AT_ONCE) -> int:
    """Appends log.erasure for what has ended and enqueues its destruction; returns how many contacts."""
    before = held(tx.session, organisation_id)
    if before.everything:
        return 0
    wanted = queries.contacts_due(tx.session, organisation_id, limit=limit, held=before.contacts)
    locked = contacts.lock(tx, organisation_id, wanted)
    covered = held(tx.session, organisation_id)
    free = [one for one in sorted(locked) if not covered.covers(one)]
    places = places_of(tx.session, organisation_id, free)
    found = (_plan(tx, locked[one], tuple(places[one])) for one in free)
    plans = [plan for plan in found if plan is not None]
    _mark(tx, organisation_id, [one for one in wanted if not covered.covers(one)], plans)
    if plans:
        log_erasures(tx, organisation_id, {"expired": plans})
    return len(plans)


def organisations_past(session: Session, at: datetime) -> list[UUID]:
    """Reads the organisations that may have contacts past their retention (each has its own days)."""
    query = select(Contact.organisation_id).where(Contact.touched_at <= at - MIN_RETENTION, _idle())
    return sorted(set(session.scalars(query.distinct())))


def retire(tx: Tx, organisation_id: UUID, *, limit: int = CONTACTS_AT_ONCE) -> int:
    """Appends log.erasure for contacts without a living consent or relationship, untouched for the retention's days.

    An objection among them lives on as a suppression, in the strictest reading. Returns how many.
    """
    before = held(tx.session, organisation_id)
    if before.everything:
        return 0
    cutoff = tx.now - timedelta(days=policy(tx.session, organisation_id).retention_days)
    idle = past(organisation_id, cutoff).where(Contact.contact_id.not_in(sorted(before.contacts)))
    wanted = list(tx.session.scalars(idle.order_by(Contact.touched_at).limit(limit)))
    locked = contacts.lock(tx, organisation_id, wanted)
    still = past(organisation_id, cutoff).where(Contact.contact_id.in_(sorted(locked)))
    covered = held(tx.session, organisation_id)
    going = [one for one in sorted(tx.session.scalars(still)) if not covered.covers(one)]
    places = places_of(tx.session, organisation_id, going)
    plans = []
    for contact_id in going:
        contact = locked[contact_id]
        if standings.says_no(contact.standing, tx.now):
            suppress_address(tx, organisation_id, contact.address, "retention")
        indexes = tuple(contact_queries.entry_indexes(tx.session, organisation_id, contact_id))
        permits = tuple(places[contact_id])
        plans.append(Plan(contact_id, True, contact.chain.entries, indexes, (), permits))
    if plans:
        log_erasures(tx, organisation_id, {"retention": plans})
        _touch(tx, organisation_id, going)
    return len(plans)


def past(organisation_id: UUID, cutoff: datetime) -> Select[Any]:
    """Selects the contacts of an organisation that nobody touched since, and of which no consent stands."""
    return select(Contact.contact_id).where(
        Contact.organisation_id == organisation_id, Contact.touched_at <= cutoff, _idle()
    )


def _idle() -> ColumnElement[bool]:
    """No consent or relationship stands and no request is open: nothing is prolonged by having been forgotten."""
    return and_(
        ~exists().where(
            Consent.organisation_id == Contact.organisation_id,
            Consent.contact_id == Contact.contact_id,
            Consent.state == "confirmed",
        ),
        ~exists().where(
            ConsentRequest.organisation_id == Contact.organisation_id,
            ConsentRequest.contact_id == Contact.contact_id,
            ConsentRequest.state == OPEN,
        ),
        ~exists().where(
            CustomerRecord.organisation_id == Contact.organisation_id,
            CustomerRecord.contact_id == Contact.contact_id,
            CustomerRecord.trigger == "ongoing_relationship",
            CustomerRecord.state == "recorded",
            CustomerRecord.ended_on.is_(None),
        ),
    )


def _touch(tx: Tx, organisation_id: UUID, contact_ids: Sequence[UUID]) -> None:
    """They are logged: not again while their destruction is on its way (the rows are locked)."""
    tx.connection.execute(
        update(Contact)
        .where(Contact.organisation_id == organisation_id, Contact.contact_id.in_(contact_ids))
        .values(touched_at=tx.now)
    )


def _plan(tx: Tx, contact: LockedContact, permits: Permits) -> Plan | None:
    org, contact_id = contact.organisation_id, contact.contact_id
    requests = consent_queries.requests_of_contact(tx.session, org, contact_id)
    ended = [request for request in requests if _has_ended(tx, request)]
    indexes = contact_queries.entry_indexes(tx.session, org, contact_id)
    kept = [one for one in requests if one not in ended and one.state != "erasing"]
    if not kept and not standings.living(contact.standing, tx.now):
        going = tuple(request.request_id for request in requests)
        return Plan(contact_id, True, contact.chain.entries, tuple(indexes), going, permits)
    if not ended:
        return None
    numbers = [number for request in ended for number in request.entry_numbers]
    return Plan(
        contact_id,
        False,
        contact.chain.entries,
        tuple(indexes[number] for number in numbers),
        tuple(request.request_id for request in ended),
    )


def _has_ended(tx: Tx, request: Request) -> bool:
    old = request.requested_at <= tx.now - DECLINED_KEPT
    return request.state == "expired" or (request.state == "declined" and old)


def _mark(tx: Tx, organisation_id: UUID, wanted: Sequence[UUID], plans: Sequence[Plan]) -> None:
    going = sorted(one for plan in plans for one in plan.request_ids)
    tx.session.execute(
        update(ConsentRequest)
        .where(
            ConsentRequest.organisation_id == organisation_id, ConsentRequest.request_id.in_(going)
        )
        .values(state="erasing")
    )
    tx.session.execute(
        update(StopRequest)
        .where(
            StopRequest.organisation_id == organisation_id,
            StopRequest.contact_id.in_(wanted),
            StopRequest.expires_at <= tx.now,
        )
        .values(state="ended")
    )
