"""Logs the erasures that people asked for, many at once, and plans what goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.consents import queries as consent_queries
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedContact
from consentledger.db.keystore.store import suppression_version
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import restricting
from consentledger.erasure.holds import held
from consentledger.erasure.logging import log_erasures
from consentledger.erasure.models import Erasure
from consentledger.erasure.places import places_of
from consentledger.erasure.policies import NO_ESCROW_KEY, policy
from consentledger.erasure.requesting import METHOD, suppress_address
from consentledger.erasure.rules import Permits, Plan
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import ConfigurationError
from consentledger.webhooks import service as webhooks

CONTACTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Collected:
    """How many erasures one log.erasure covers, and what the journal must keep of it."""

    erasures: int
    record: Mapping[str, Any] | None


def organisations_due(session: Session, at: datetime) -> list[UUID]:
    """Reads the organisations of which people's erasures are due."""
    query = select(Erasure.organisation_id).where(
        Erasure.state == "requested", Erasure.due_at <= at
    )
    return sorted(set(session.scalars(query)))


def collect(
    tx: Tx, organisation_id: UUID, escrow_key: bytes | None = None, *, limit: int = CONTACTS_AT_ONCE
) -> Collected:
    """Appends log.erasure for every erasure that is due, announces it, and enqueues the destruction.

    ConfigurationError when evidence shall be kept for claims and there is no escrow key: nothing goes then.
    """
    kept_days = policy(tx.session, organisation_id).keep_for_claims_days
    if kept_days and escrow_key is None:
        raise ConfigurationError(NO_ESCROW_KEY)
    wanted = [row.contact_id for row in _due(tx, organisation_id, limit)]
    locked = contacts.lock(tx, organisation_id, [one for one in wanted if one])
    due = [row for row in _due(tx, organisation_id, limit) if row.contact_id in wanted]
    covered = held(tx.session, organisation_id)
    places = places_of(tx.session, organisation_id, locked)
    plans: dict[str, list[Plan]] = {}
    going: list[Erasure] = []
    for row in due:
        contact = locked.get(row.contact_id) if row.contact_id else None
        if contact is None or covered.covers(row.contact_id):
            _settle(tx, row, held=covered.covers(row.contact_id))
            continue
        plan = _plan(tx, contact, row, tuple(places[contact.contact_id]), restricted=kept_days > 0)
        if plan.restricted and escrow_key is not None:
            row.kept_until = restricting.restrict(tx, contact, plan, escrow_key, kept_days)
        else:
            restricting.forget_restriction(tx, organisation_id, row.erasure_id)
        _announce(tx, contact, row, restricted=plan.restricted)
        plans.setdefault("restricted" if plan.restricted else "erased", []).append(plan)
        going.append(row)
    return _log(tx, organisation_id, plans, going, locked)


def _log(
    tx: Tx,
    organisation_id: UUID,
    plans: Mapping[str, Sequence[Plan]],
    going: Sequence[Erasure],
    locked: Mapping[UUID, LockedContact],
) -> Collected:
    for row in going:
        row.state, row.logged_at = "logged", tx.now
    every = [plan for some in plans.values() for plan in some]
    hashes = [
        suppress_address(tx, organisation_id, locked[plan.contact_id].address, METHOD)
        for plan in every
        if plan.whole
    ]
    tx.session.flush()
    if not every:
        return Collected(0, None)
    first = log_erasures(tx, organisation_id, plans)
    rows: dict[UUID | None, Erasure] = {row.erasure_id: row for row in going}
    reasons = {plan.erasure_id: reason for reason, some in plans.items() for plan in some}
    for row in going:
        # Behind the head's lock: the rows are this transaction's already, under their contacts' locks.
        row.entry_index = first[reasons[row.erasure_id]].index
        row.leaf_hash = first[reasons[row.erasure_id]].leaf_hash
    record = {
        "what": "erasure",
        "organisation": str(organisation_id),
        "erasures": [_recorded(plan, rows[plan.erasure_id]) for plan in every],
        "suppressed": [hashed.hex() for hashed in hashes],
        # How many keys these hashes stand under: contacts.suppression.carried brings them to a later one.
        "suppression_keys": suppression_version(tx.connection, organisation_id),
        "leaf_hashes": sorted(entry.leaf_hash.hex() for entry in first.values()),
    }
    return Collected(len(every), record)


def _recorded(plan: Plan, row: Erasure) -> dict[str, Any]:
    """What finds the contact again in a restored database; its indexes there may be others' by then."""
    return {
        "contact": str(plan.contact_id),
        "erasure": str(plan.erasure_id),
        "whole": plan.whole,
        "entries": plan.entries,
        "ground": row.ground,
        "actor": row.actor,
        "requested_at": to_text(row.requested_at),
    }


def _due(tx: Tx, organisation_id: UUID, limit: int) -> list[Erasure]:
    query = (
        select(Erasure)
        .where(
            Erasure.organisation_id == organisation_id,
            Erasure.state == "requested",
            Erasure.due_at <= tx.now,
        )
        .order_by(Erasure.erasure_id)
        .limit(limit)
    )
    return list(tx.session.scalars(query, execution_options={"populate_existing": True}))


def _settle(tx: Tx, row: Erasure, *, held: bool) -> None:
    """What can't be logged now: held, or its contact is gone already, by an expiry that was logged itself."""
    if held:
        row.state = "held"
    elif not contacts.lock_rows(
        tx, row.organisation_id, [row.contact_id] if row.contact_id else []
    ):
        row.state, row.contact_id, row.destroyed_at, row.gone = "destroyed", None, tx.now, {}


def _plan(
    tx: Tx, contact: LockedContact, row: Erasure, permits: Permits, *, restricted: bool
) -> Plan:
    org, contact_id = contact.organisation_id, contact.contact_id
    requests = consent_queries.requests_of_contact(tx.session, org, contact_id)
    indexes = tuple(contact_queries.entry_indexes(tx.session, org, contact_id))
    # A mere sign-up is no coming back: anybody may have typed the address in. It goes with the rest.
    back = any(
        consent["state"] == "confirmed" and consent["n"] >= row.entry_number
        for consent in contact.standing["consents"].values()
    )
    if back:  # the person came back by an act of their own: what was before goes, what came stays
        gone = tuple(one.request_id for one in requests if one.requested_at <= row.requested_at)
        before = indexes[: row.entry_number]
        last = before[-1] if before else -1
        old = tuple(place for place in permits if place[0] < last)
        return Plan(contact_id, False, row.entry_number, before, gone, old, row.erasure_id)
    gone = tuple(request.request_id for request in requests)
    return Plan(
        contact_id, True, contact.chain.entries, indexes, gone, permits, row.erasure_id, restricted
    )


def _announce(tx: Tx, contact: LockedContact, row: Erasure, *, restricted: bool) -> None:
    """Tells whoever received the data (GDPR art. 19), while the address is still known."""
    event = "contact.restricted" if restricted else "contact.erased"
    payload = {
        "address": contact.address,
        "erasure": str(row.erasure_id),
        # Somebody who agreed again since then is not to be deleted with their past.
        "before": to_text(row.requested_at),
    }
    webhooks.announce(tx, contact.organisation_id, event, payload)
