"""Verbs of erasure, as far as expiry needs them (issue 2): expire, log, destroy, sweep.

The order is what makes it provable: consent.expired, then log.erasure with the ranges, and only after that has
committed are keys, openings and rows destroyed (GDPR art. 5(1)(e), 17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import update

from consentledger.consents import expiring
from consentledger.consents import queries as consent_queries
from consentledger.consents.models import ConsentRequest
from consentledger.consents.queries import Request
from consentledger.consents.rules import DECLINED_KEPT
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import service as contacts
from consentledger.contacts import standing as standings
from consentledger.contacts.service import LockedContact
from consentledger.db.engine import Database
from consentledger.db.entries import Draft
from consentledger.db.keystore import destroy_contact_keys
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import queries, rows
from consentledger.erasure.rules import Plan, parts_of, ranges_of
from consentledger.outbox import service as outbox
from consentledger.stops.models import StopRequest

DESTROY = "erasure.destroy"
CONTACTS_AT_ONCE = 200


def expire_due(database: Database, *, limit: int = 100) -> int:
    """Ends requests whose time is over, one transaction per contact; returns how many ended."""
    with database.read() as session:
        due = expiring.contacts_due(session, limit=limit)
    ended = 0
    for organisation_id, contact_id in due:
        with database.begin() as tx:
            ended += expiring.expire(tx, organisation_id, contact_id)
    return ended


def erase_due(database: Database) -> int:
    """Logs the erasure of what has ended, one transaction per organisation; returns how many contacts."""
    with database.read() as session:
        organisations = queries.organisations_due(session)
    planned = 0
    for organisation_id in organisations:
        with database.begin() as tx:
            planned += erase(tx, organisation_id)
    return planned


def erase(tx: Tx, organisation_id: UUID, *, limit: int = CONTACTS_AT_ONCE) -> int:
    """Appends log.erasure for what has ended and enqueues its destruction; returns how many contacts."""
    wanted = queries.contacts_due(tx.session, organisation_id, limit=limit)
    locked = contacts.lock(tx, organisation_id, wanted)
    plans = [plan for one in sorted(locked) if (plan := _plan(tx, locked[one])) is not None]
    _mark(tx, organisation_id, wanted, plans)
    if not plans:
        return 0
    payload = {"plans": [plan.as_json() for plan in plans]}
    outbox.enqueue(tx, organisation_id, DESTROY, payload)
    ranges = ranges_of(index for plan in plans for index in plan.indexes)
    drafts = [Draft("log.erasure", {}, actor="worker", plain=plain) for plain in parts_of(ranges)]
    tx.log.append(tx, organisation_id, drafts)
    return len(plans)


def destroy(tx: Tx, organisation_id: UUID, payload: Mapping[str, Any]) -> None:
    """Destroys what a committed log.erasure covers; payload of the outbox kind `erasure.destroy`.

    A contact that has more entries than when this was planned came back meanwhile: it keeps its key.
    """
    plans = [Plan.from_json(value) for value in payload["plans"]]
    # Without their keys: they are gone already when this died between the key store and the rows.
    locked = contacts.lock_rows(tx, organisation_id, [plan.contact_id for plan in plans])
    going = {
        plan.contact_id: row
        for plan in plans
        if plan.whole
        and (row := locked.get(plan.contact_id)) is not None
        and row.entries == plan.entries
    }
    # Keys before rows: a key store of its own commits this at once, and no row may outlive the wish to erase it.
    destroy_contact_keys(tx, organisation_id, [row.key_id for row in going.values()])
    for plan in sorted(plans, key=lambda one: one.contact_id):
        if plan.contact_id in going:
            rows.delete_contact(tx, going[plan.contact_id])
        rows.delete_openings(tx, organisation_id, plan.indexes)
        rows.delete_requests(tx, organisation_id, plan.request_ids)


def sweep(database: Database) -> dict[str, int]:
    """Deletes what has simply ended: links past 90 days, blocks past 12 months, orphan keys."""
    with database.begin() as tx:
        return {
            "links": rows.delete_closed_mails(tx),
            "suppressions": rows.delete_ended_suppressions(tx),
            "keys": contacts.sweep_orphan_keys(tx),
        }


def _plan(tx: Tx, contact: LockedContact) -> Plan | None:
    org, contact_id = contact.organisation_id, contact.contact_id
    requests = consent_queries.requests_of_contact(tx.session, org, contact_id)
    ended = [request for request in requests if _has_ended(tx, request)]
    indexes = contact_queries.entry_indexes(tx.session, org, contact_id)
    kept = [one for one in requests if one not in ended and one.state != "erasing"]
    if not kept and not standings.living(contact.standing, tx.now):
        going = tuple(request.request_id for request in requests)
        return Plan(contact_id, True, contact.chain.entries, tuple(indexes), going)
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
