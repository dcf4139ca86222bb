"""Destroying what a committed log.erasure covers: keys first, then rows; again after a crash, to the same end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from consentledger.consents.models import Consent
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedRow
from consentledger.customers.models import CustomerRecord
from consentledger.db.keystore.store import destroy_contact_keys
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import restricting, rows
from consentledger.erasure.holds import held
from consentledger.erasure.logging import enqueue_destruction, log_erasures
from consentledger.erasure.models import Erasure
from consentledger.erasure.places import erase_places, places_of
from consentledger.erasure.rules import Plan
from consentledger.sends.erasing import remake_last

HELD_AGAIN = timedelta(minutes=10)


def destroy(tx: Tx, organisation_id: UUID, payload: Mapping[str, Any]) -> None:
    """Destroys what a committed log.erasure covers; payload of the outbox kind `erasure.destroy`.

    A contact that has more entries than when this was planned came back meanwhile: it keeps its key. What a
    legal hold covers waits, and is enqueued again.
    """
    plans = sorted(map(Plan.from_json, payload["plans"]), key=lambda one: one.contact_id)
    # Without their keys: they are gone already when this died between the key store and the rows.
    locked = contacts.lock_rows(tx, organisation_id, [plan.contact_id for plan in plans])
    covered = held(tx.session, organisation_id)
    waiting = [plan for plan in plans if covered.covers(plan.contact_id)]
    enqueue_destruction(tx, organisation_id, waiting, run_at=tx.now + HELD_AGAIN)
    plans = [plan for plan in plans if not covered.covers(plan.contact_id)]
    going = {
        plan.contact_id: row
        for plan in plans
        if plan.whole
        and (row := locked.get(plan.contact_id)) is not None
        and row.entries == plan.entries
    }
    late = _late_permits(tx, organisation_id, plans, going)
    # Keys before rows: a key store of its own commits this at once, and no row may outlive the wish to erase it.
    destroy_contact_keys(tx, organisation_id, [row.key_id for row in going.values()])
    for plan in plans:
        _destroy(tx, organisation_id, plan, going.get(plan.contact_id), plan.contact_id in locked)
    restricting.destroy_ended(tx, organisation_id, payload.get("restrictions", ()))
    if late:
        log_erasures(tx, organisation_id, {"erased": late})


def _destroy(tx: Tx, organisation_id: UUID, plan: Plan, row: LockedRow | None, lives: bool) -> None:
    gone: Counter[str] = Counter()
    own = plan.erasure_id is not None
    again = own and plan.whole and row is None and lives
    if (
        again and plan.restricted
    ):  # what was sealed must be sealed anew, with what came: nothing goes yet
        _tell(tx, organisation_id, plan, gone, again=True)
        return
    places = [(batch, number) for _, batch, number in plan.permits]
    gone += erase_places(tx, organisation_id, places)
    if own:
        links = rows.permit_links(places)
        gone["link_use"] += rows.delete_link_uses(tx, organisation_id, "unsubscribe", links)
    if row is not None:
        gone += rows.delete_contact(tx, row, shut=plan.restricted, forget=own)
    elif own and lives:
        gone["consent"] += _withdrawn(tx, organisation_id, plan)
        gone["customer_record"] += _sold(tx, organisation_id, plan)
    if row is None and lives and places:
        remake_last(tx, organisation_id, [plan.contact_id])
    if not plan.restricted:
        gone["opening"] += rows.delete_openings(tx, organisation_id, plan.indexes)
    if plan.whole and row is None and lives and not own:
        # Something was told of it meanwhile, such as a mail given up: it is planned anew, with that entry.
        rows.plan_again(tx, organisation_id, plan.contact_id)
    else:
        gone["consent_request"] += rows.delete_requests(tx, organisation_id, plan.request_ids)
    if own:
        _tell(tx, organisation_id, plan, gone, again=again)


def _withdrawn(tx: Tx, organisation_id: UUID, plan: Plan) -> int:
    """The person came back: of what they had before, no consent's row is left."""
    return rows.execute_delete(
        tx,
        delete(Consent).where(
            Consent.organisation_id == organisation_id,
            Consent.contact_id == plan.contact_id,
            Consent.entry_number < len(plan.indexes),
            Consent.state != "confirmed",
        ),
    )


def _sold(tx: Tx, organisation_id: UUID, plan: Plan) -> int:
    """The person came back: what they had bought before is forgotten all the same."""
    return rows.execute_delete(
        tx,
        delete(CustomerRecord).where(
            CustomerRecord.organisation_id == organisation_id,
            CustomerRecord.contact_id == plan.contact_id,
            CustomerRecord.entry_number < len(plan.indexes),
        ),
    )


def _tell(tx: Tx, organisation_id: UUID, plan: Plan, gone: Counter[str], *, again: bool) -> None:
    """Writes the receipt; `again`: entries came meanwhile, so it is logged anew with them."""
    counts = {name: count for name, count in sorted(gone.items()) if count}
    values: dict[str, Any]
    if again:
        values = {"state": "requested", "due_at": tx.now}
    else:
        values = {
            "state": "restricted" if plan.restricted else "destroyed",
            "destroyed_at": tx.now,
            "contact_id": None,
            "gone": counts,
        }
    tx.session.execute(
        update(Erasure)
        .where(
            Erasure.organisation_id == organisation_id,
            Erasure.erasure_id == plan.erasure_id,
            Erasure.state == "logged",
        )
        .values(values),
        execution_options={"synchronize_session": False},
    )


def _late_permits(
    tx: Tx, organisation_id: UUID, plans: Sequence[Plan], going: Mapping[UUID, LockedRow]
) -> list[Plan]:
    """Permits that named a contact behind its log.erasure: they get one of their own, and go by it."""
    planned = {plan.contact_id: set(plan.permits) for plan in plans}
    late = []
    for contact_id, places in sorted(places_of(tx.session, organisation_id, going).items()):
        left = tuple(place for place in places if place not in planned[contact_id])
        if left:
            late.append(Plan(contact_id, False, 0, (), (), left))
    return late
