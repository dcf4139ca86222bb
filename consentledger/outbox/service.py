"""Verbs of the outbox: enqueue, lease, extend, complete, retry, bury, revive.

A row commits together with the event that asks for it, and is done at least once: whoever does it
deletes the row in the same transaction as its results (`complete`). A lease that ran out, because
its worker died, makes the row due again; the number of tries is counted when a lease begins, so
that work which kills its worker is bounded too. What a row says is stored sealed only.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, delete, insert, select, update

from consentledger.db.engine import Database
from consentledger.db.keystore.store import ContactKeys, Sealer
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.outbox.models import OutboxRow
from consentledger.outbox.rules import RetryPolicy

DUE, BURIED = "due", "buried"
MAX_ERROR = 200
_CHANCE = random.SystemRandom()
_INSERT = insert(OutboxRow.__table__)  # type: ignore[arg-type]  # made once: every sign-up enqueues


class LeaseLostError(ConflictError):
    """This lease ran out and another worker has the work: what was done here must not commit."""


@dataclass(frozen=True, slots=True)
class Job:
    """One leased piece of work; `attempt` is 1 at the first try, `worker` the lease's holder."""

    organisation_id: UUID
    outbox_id: UUID
    kind: str
    key_id: UUID | None
    attempt: int
    made_at: datetime
    sealed: bytes = field(repr=False)
    worker: str


def enqueue(
    tx: Tx,
    organisation_id: UUID,
    kind: str,
    payload: Mapping[str, Any],
    *,
    keys: ContactKeys | None = None,
    run_at: datetime | None = None,
) -> UUID:
    """Adds a piece of work to this transaction and returns its id; before the log's append.

    `payload` is anything JSON can say; it is sealed under the contact's `keys`, so that an erasure
    makes it unreadable, else under the organisation's. Due at `run_at`, else at once.
    """
    row = outbox_row(tx, organisation_id, kind, payload, keys=keys, run_at=run_at)
    tx.connection.execute(_INSERT, row)
    return row["outbox_id"]  # type: ignore[no-any-return]


def outbox_row(
    tx: Tx,
    organisation_id: UUID,
    kind: str,
    payload: Mapping[str, Any],
    *,
    keys: ContactKeys | None = None,
    run_at: datetime | None = None,
) -> dict[str, Any]:
    """Returns the values of the row that `enqueue` inserts, for callers that insert many."""
    if tx.closed:
        raise RuntimeError("work is enqueued before the log's append, not behind it")
    outbox_id = uuid7()
    content = json.dumps(payload, separators=(",", ":")).encode()
    sealer = keys.sealer if keys else _organisation_sealer(tx, organisation_id)
    return {
        "organisation_id": organisation_id,
        "outbox_id": outbox_id,
        "kind": kind,
        "key_id": keys.key_id if keys else None,
        "sealed": sealer.seal(content, _context(organisation_id, outbox_id, kind)),
        "state": DUE,
        "run_at": run_at or tx.now,
        "attempts": 0,
        "leased_until": None,
        "leased_by": None,
        "last_error": None,
        "made_at": tx.now,
    }


def open_job(tx: Tx, job: Job) -> dict[str, Any]:
    """Returns what a job says; NotFoundError when the contact's key was erased since."""
    if job.key_id is None:
        sealer = _organisation_sealer(tx, job.organisation_id)
    else:
        keystore = tx.log.keystore
        sealer = keystore.contact_keys(tx.session, job.organisation_id, job.key_id).sealer
    context = _context(job.organisation_id, job.outbox_id, job.kind)
    payload: dict[str, Any] = json.loads(sealer.open(job.sealed, context))
    return payload


def lease(
    database: Database,
    worker: str,
    kinds: Sequence[str],
    *,
    limit: int,
    seconds: float,
) -> list[Job]:
    """Takes up to `limit` due rows for `seconds`, oldest first, in a transaction of its own.

    Competing workers never get the same row: on PostgreSQL each skips what another is taking
    (the materialised form; `IN (SELECT … LIMIT n)` takes too many under some plans), on SQLite
    there is one writer at a time.
    """
    with database.begin() as tx:
        until = tx.now + timedelta(seconds=seconds)
        due = (
            select(OutboxRow.organisation_id, OutboxRow.outbox_id)
            .where(OutboxRow.state == DUE, OutboxRow.run_at <= tx.now, OutboxRow.kind.in_(kinds))
            .order_by(OutboxRow.run_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        rows = tx.session.execute(
            update(OutboxRow)
            .where(
                OutboxRow.organisation_id == due.c.organisation_id,
                OutboxRow.outbox_id == due.c.outbox_id,
            )
            .values(
                # A leased row is due again when its lease ends: one index answers both.
                run_at=until,
                leased_until=until,
                leased_by=worker,
                attempts=OutboxRow.attempts + 1,
            )
            .returning(
                OutboxRow.organisation_id,
                OutboxRow.outbox_id,
                OutboxRow.kind,
                OutboxRow.key_id,
                OutboxRow.attempts,
                OutboxRow.made_at,
                OutboxRow.sealed,
            ),
            execution_options={"synchronize_session": False},
        ).all()
    return sorted((Job(*row, worker=worker) for row in rows), key=lambda job: job.made_at)


def extend(tx: Tx, jobs: Sequence[Job], *, seconds: float) -> None:
    """Prolongs the leases of work that is still being done."""
    until = tx.now + timedelta(seconds=seconds)
    for job in sorted(jobs, key=lambda job: (job.organisation_id, job.outbox_id)):
        tx.session.execute(
            update(OutboxRow).where(_held(job)).values(run_at=until, leased_until=until)
        )


def complete(tx: Tx, job: Job) -> None:
    """Deletes a finished job in the transaction of its results; LeaseLostError rolls them back."""
    _exactly_one(tx.session.execute(delete(OutboxRow).where(_held(job))))


def retry(tx: Tx, job: Job, policy: RetryPolicy, reason: str) -> bool:
    """Makes a failed job due later, or buries it after its last try; says whether it is due.

    `reason` is for people and logs: it names no address and holds no token.
    """
    if policy.exhausted(job.attempt):
        bury(tx, job, reason)
        return False
    postpone(tx, job, tx.now + policy.wait(job.attempt, _CHANCE.random), reason)
    return True


def postpone(tx: Tx, job: Job, run_at: datetime, reason: str) -> None:
    """Makes a job due at `run_at`; its try counts."""
    _settle(tx, job, state=DUE, run_at=run_at, last_error=reason[:MAX_ERROR])


def release(tx: Tx, job: Job, run_at: datetime | None = None) -> None:
    """Gives back a job that was leased but not tried: due at `run_at`, or at once."""
    _settle(tx, job, state=DUE, run_at=run_at or tx.now, attempts=job.attempt - 1)


def bury(tx: Tx, job: Job, reason: str) -> None:
    """Sets a job aside for people to look at: nobody tries it until it is revived."""
    _settle(tx, job, state=BURIED, run_at=tx.now, last_error=reason[:MAX_ERROR])


def revive(tx: Tx, organisation_id: UUID, outbox_id: UUID) -> None:
    """Makes a buried job due again, with all its tries; NotFoundError when it is not buried."""
    result = tx.session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.organisation_id == organisation_id,
            OutboxRow.outbox_id == outbox_id,
            OutboxRow.state == BURIED,
        )
        .values(state=DUE, run_at=tx.now, attempts=0)
    )
    if _count(result) != 1:
        raise NotFoundError("there is no such buried work")


def _organisation_sealer(tx: Tx, organisation_id: UUID) -> Sealer:
    keys = tx.log.keystore.cached(organisation_id)
    return (keys or tx.log.keystore.organisation(tx.session, organisation_id)).sealer


def _settle(tx: Tx, job: Job, **values: Any) -> None:
    ended = {"leased_until": None, "leased_by": None}
    _exactly_one(
        tx.session.execute(update(OutboxRow).where(_held(job)).values({**ended, **values}))
    )


def _held(job: Job) -> ColumnElement[bool]:
    # The try's number is the fence: a worker that lost its lease and got it back holds a new one.
    return and_(
        OutboxRow.organisation_id == job.organisation_id,
        OutboxRow.outbox_id == job.outbox_id,
        OutboxRow.state == DUE,
        OutboxRow.leased_by == job.worker,
        OutboxRow.attempts == job.attempt,
    )


def _exactly_one(result: Any) -> None:
    if _count(result) != 1:
        raise LeaseLostError("the lease ran out and the work was taken by another worker")


def _count(result: Any) -> int:
    return int(result.rowcount) if isinstance(result, CursorResult) else 0


def _context(organisation_id: UUID, outbox_id: UUID, kind: str) -> bytes:
    return b"consentledger/outbox/v1\n%b\n%b\n%b" % (
        organisation_id.bytes,
        outbox_id.bytes,
        kind.encode(),
    )
