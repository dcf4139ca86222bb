"""Verbs of erasure: request, log, destroy, hold, restrict, retain, sweep.

The order is what makes it provable: first log.erasure with the ranges, and only after that has committed are
keys, openings and rows destroyed (GDPR art. 5(1)(e), 17).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

import structlog

from consentledger.consents import expiring
from consentledger.contacts import service as contacts
from consentledger.db.engine import Database
from consentledger.erasure import queries, rows
from consentledger.erasure.collecting import collect
from consentledger.erasure.collecting import organisations_due as organisations_asked
from consentledger.erasure.destroying import destroy
from consentledger.erasure.ending import CONTACTS_AT_ONCE, erase, organisations_past, retire
from consentledger.erasure.holds import organisations_held, place_hold, release_hold
from consentledger.erasure.logging import DESTROY
from consentledger.erasure.policies import change_policy
from consentledger.erasure.replaying import replay
from consentledger.erasure.requesting import request_erasure
from consentledger.erasure.restricting import end_restrictions, organisations_ended
from consentledger.erasure.retaining import log_retention, organisations_with_logs
from consentledger.erasure.returned import destroy_returned
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConfigurationError, FrozenError

__all__ = [
    "DESTROY",
    "change_policy",
    "collect",
    "collect_requested",
    "destroy",
    "destroy_returned",
    "end_restrictions",
    "erase",
    "erase_due",
    "expire_due",
    "place_hold",
    "release_hold",
    "replay",
    "request_erasure",
    "retain_due",
    "retire",
    "retire_due",
    "sweep",
]
_log = structlog.get_logger("consentledger.erasure")


class Keeper(Protocol):
    """What keeps a record outside the database, so that a restore does not bring back who was erased."""

    def append(self, record: dict[str, object]) -> object:
        """Keeps one record; when this returns, it is on the disk."""


@contextmanager
def _apart(organisation_id: UUID) -> Iterator[None]:
    """Lets a frozen log's turn pass: others' must not wait until somebody has recovered it."""
    try:
        yield
    except FrozenError:
        _log.warning("log frozen, its erasures wait", organisation=str(organisation_id))


def expire_due(database: Database, *, limit: int = 100) -> int:
    """Ends requests whose time is over, one transaction per contact; returns how many ended."""
    with database.read() as session:
        due = expiring.contacts_due(session, limit=limit)
    ended = 0
    for organisation_id, contact_id in due:
        with _apart(organisation_id), database.begin() as tx:
            ended += expiring.expire(tx, organisation_id, contact_id)
    return ended


def erase_due(
    database: Database, escrow_key: bytes | None = None, journal: Keeper | None = None
) -> int:
    """Logs the erasure of what has ended or was asked for, one transaction per organisation.

    Returns how many contacts. The journal is written before the commit: replaying what was not committed harms
    nobody, but an erasure that is not in it comes back with a restored database.
    """
    at = now()
    with database.read() as session:
        ended = queries.organisations_due(session)
        asked = organisations_asked(session, at)
        kept = organisations_ended(session, at)
    planned = 0
    for organisation_id in ended:
        with _apart(organisation_id), database.begin() as tx:
            planned += erase(tx, organisation_id)
    for organisation_id in asked:
        with _apart(organisation_id):
            planned += collect_requested(database, organisation_id, escrow_key, journal)
    for organisation_id in kept:
        with _apart(organisation_id), database.begin() as tx:
            planned += end_restrictions(tx, organisation_id)
    return planned


def collect_requested(
    database: Database,
    organisation_id: UUID,
    escrow_key: bytes | None = None,
    journal: Keeper | None = None,
) -> int:
    """Logs one organisation's erasures that are due, in a transaction of its own; returns how many."""
    try:
        with database.begin() as tx:
            done = collect(tx, organisation_id, escrow_key)
            if done.record is not None and journal is not None:
                journal.append(dict(done.record))
    except ConfigurationError as error:  # the others' must not wait for this one's key
        _log.error("erasures wait", organisation=str(organisation_id), reason=str(error))
        return 0
    return done.erasures


def retain_due(database: Database) -> int:
    """Logs which openings have reached their age, one transaction per organisation; returns how many logs."""
    with database.read() as session:
        organisations = organisations_with_logs(session)
    logged = 0
    for organisation_id in organisations:
        with _apart(organisation_id), database.begin() as tx:
            logged += log_retention(tx, organisation_id)
    return logged


def retire_due(database: Database) -> int:
    """Logs the erasure of contacts past their retention, batch by batch; returns how many."""
    with database.read() as session:
        past = organisations_past(session, now())
    retired = 0
    for organisation_id in past:
        found = CONTACTS_AT_ONCE
        while found == CONTACTS_AT_ONCE:
            found = 0  # a frozen log's turn passes
            with _apart(organisation_id), database.begin() as tx:
                found = retire(tx, organisation_id)
            retired += found
    return retired


def sweep(database: Database) -> dict[str, int]:
    """Deletes what has simply ended: links past 90 days, blocks past 12 months, orphan keys."""
    with database.begin() as tx:
        held = organisations_held(tx.session)
        return {
            "links": rows.delete_closed_mails(tx, held),
            "suppressions": rows.delete_ended_suppressions(tx, held),
            "keys": contacts.sweep_orphan_keys(tx),
        }
