"""Erasures by the verbs themselves: ask, log, destroy, and look what is left."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.models import LogLeaf
from consentledger.erasure import requesting, service
from consentledger.erasure.commands import EraseContact, Receipt
from consentledger.ledger.leaf import ParsedLeaf, parse_leaf
from consentledger.outbox import service as outbox
from consentledger.outbox.models import OutboxRow


def ask(database: Database, organisation_id: UUID, address: str, **more: Any) -> Receipt:
    """Asks for an erasure, to be logged without waiting for others."""
    command = EraseContact(organisation_id, address, "key:test", **{"now": True, **more})
    with database.begin() as tx:
        return service.request_erasure(tx, command)


def destroy_due(database: Database) -> int:
    """Does the work of the outbox kind erasure.destroy that is due; returns how many rows of it there were."""
    jobs = outbox.lease(database, "test", [service.DESTROY], limit=99, seconds=60)
    for job in jobs:
        with database.begin() as tx:
            service.destroy(tx, job.organisation_id, outbox.open_job(tx, job))
            outbox.complete(tx, job)
    return len(jobs)


def erase(
    installation: Installation,
    organisation_id: UUID,
    address: str,
    *,
    escrow_key: bytes | None = None,
    **more: Any,
) -> Receipt:
    """Asks, logs and destroys; returns the receipt."""
    database = installation.database
    asked = ask(database, organisation_id, address, **more)
    service.collect_requested(database, organisation_id, escrow_key, installation.journal)
    while destroy_due(database):
        pass
    return receipt(database, organisation_id, asked.erasure_id)


def receipt(database: Database, organisation_id: UUID, erasure_id: UUID) -> Receipt:
    """Reads a receipt."""
    with database.read() as session:
        return requesting.receipt(session, organisation_id, erasure_id)


def logged(
    database: Database, organisation_id: UUID, kind: str = "log.erasure"
) -> list[ParsedLeaf]:
    """Reads the leaves of one kind, in order."""
    with database.read() as session:
        query = select(LogLeaf.leaf).where(LogLeaf.organisation_id == organisation_id)
        found = session.scalars(query.order_by(LogLeaf.entry_index))
        parsed = [parse_leaf(bytes(leaf)) for leaf in found]
    return [leaf for leaf in parsed if leaf.kind_name == kind]


def waiting(database: Database) -> int:
    """Counts what waits in the outbox."""
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(OutboxRow)) or 0
