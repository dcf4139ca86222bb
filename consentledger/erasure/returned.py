"""Whoever the log has erased, and an older database brought back: what its entries sealed goes again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from uuid import UUID

from sqlalchemy import select

from consentledger.contacts import service as contacts
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.models import ContactEntry
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import rows
from consentledger.erasure.logging import enqueue_destruction
from consentledger.erasure.places import places_of
from consentledger.erasure.rules import Plan

BLOCK = 5_000
AT_ONCE = 200


def destroy_returned(tx: Tx, organisation_id: UUID) -> int:
    """Destroys openings that a log.erasure covers, and enqueues the end of contacts of whom it covers everything.

    Entries that were lost or are kept for claims stay. Returns how many contacts; done twice it harms nobody.
    """
    gone = SystemEntries(tx.session, organisation_id).destroyed
    whole: list[UUID] = []
    for contact_id, indexes in _owned(tx, organisation_id):
        covered = [index for index in indexes if index in gone]
        if covered and len(covered) == len(indexes):
            whole.append(contact_id)
        elif covered:
            rows.delete_openings(tx, organisation_id, covered)
            rows.plan_again(tx, organisation_id, contact_id)
    for start in range(0, len(whole), AT_ONCE):
        enqueue_destruction(
            tx, organisation_id, _plans(tx, organisation_id, whole[start : start + AT_ONCE])
        )
    return len(whole)


def _plans(tx: Tx, organisation_id: UUID, contact_ids: list[UUID]) -> list[Plan]:
    locked = contacts.lock_rows(tx, organisation_id, contact_ids)
    places = places_of(tx.session, organisation_id, locked)
    return [
        Plan(one, True, row.entries, (), (), tuple(places[one]))
        for one, row in sorted(locked.items())
    ]


def _owned(tx: Tx, organisation_id: UUID) -> Iterator[tuple[UUID, list[int]]]:
    query = (
        select(ContactEntry.contact_id, ContactEntry.entry_index)
        .where(ContactEntry.organisation_id == organisation_id)
        .order_by(ContactEntry.contact_id, ContactEntry.entry_index)
        .execution_options(yield_per=BLOCK)
    )
    for contact_id, group in groupby(tx.session.execute(query), key=lambda row: row.contact_id):
        yield contact_id, [row.entry_index for row in group]
