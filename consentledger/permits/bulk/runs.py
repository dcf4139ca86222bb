"""Runs: what a request under one Idempotency-Key has committed so far, and who may go on with it.

A run begins with the key's answer (accounts.idempotency), which holds the hash of the input: the same key with
another body is refused there. Each batch's transaction first extends the holder's time, so two who go on with one
run never both commit: the second one gets a conflict at once, or, when the first was silent for `HELD`, takes over
and the first fails at its next batch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from consentledger.accounts import idempotency
from consentledger.accounts.idempotency import Claim, Repeatable
from consentledger.db.keystore.store import KeyStore
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError
from consentledger.permits.bulk.body import Kept
from consentledger.permits.bulk.models import PermitRun, PermitRunBatch

HELD = timedelta(seconds=30)
HOLDER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Run:
    """A run that this caller may go on with, unless it is done; `again`: it was begun before."""

    organisation_id: UUID
    key_hash: bytes
    holder: bytes = field(repr=False)
    again: bool = False
    done: bool = False


def begin(tx: Tx, repeatable: Repeatable) -> Run:
    """Begins a run, or takes up one that stopped or is done.

    InputError (`key_reused`) when the key came with another request, ConflictError while somebody else is at it.
    """
    organisation_id, holder = repeatable.organisation_id, os.urandom(HOLDER_BYTES)
    claimed = idempotency.claim(tx, repeatable)
    if isinstance(claimed, Claim):
        idempotency.keep(tx, claimed, 200, {"run": True})
        _insert(tx, organisation_id, claimed.key_hash, holder)
        return Run(organisation_id, claimed.key_hash, holder)
    key_hash = claimed.key_hash
    row = tx.session.execute(
        select(PermitRun).where(*_named(PermitRun, organisation_id, key_hash)).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise ConflictError("this Idempotency-Key's run was forgotten: take another key")
    if row.done:
        return Run(organisation_id, key_hash, holder, again=True, done=True)
    if row.holder is not None and row.held_until > tx.now:
        raise ConflictError(
            "a request with this Idempotency-Key is still running; if it was broken off, try again in"
            f" {HELD.seconds} seconds"
        )
    row.holder, row.held_until = holder, tx.now + HELD
    return Run(organisation_id, key_hash, holder, again=True)


def committed(session: Session, keystore: KeyStore, run: Run) -> list[Kept]:
    """Reads the batches that a run has committed, in order."""
    sealer = keystore.organisation(session, run.organisation_id).sealer
    rows = session.execute(
        select(PermitRunBatch)
        .where(*_named(PermitRunBatch, run.organisation_id, run.key_hash))
        .order_by(PermitRunBatch.position)
    ).scalars()
    return [
        Kept(
            row.first_line,
            row.last_line,
            json.loads(sealer.open(row.sealed, _context(run, row.position))),
        )
        for row in rows
    ]


def hold(tx: Tx, run: Run) -> None:
    """Extends the holder's time, in the transaction of the batch and before it; ConflictError when it is over."""
    held = tx.session.execute(
        update(PermitRun)
        .where(*_named(PermitRun, run.organisation_id, run.key_hash))
        .where(PermitRun.holder == run.holder)
        .values(held_until=tx.now + HELD)
        .returning(PermitRun.key_hash),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if held is None:
        raise ConflictError("another request with this Idempotency-Key went on with the run")


def add(tx: Tx, run: Run, position: int, lines: Sequence[int], kept: Mapping[str, Any]) -> None:
    """Notes a batch, in its own transaction; the run's row is locked by `hold`, nothing is waited for here."""
    sealer = tx.log.keystore.organisation(tx.session, run.organisation_id).sealer
    content = json.dumps(dict(kept), separators=(",", ":")).encode()
    tx.session.execute(
        insert(PermitRunBatch).values(
            organisation_id=run.organisation_id,
            key_hash=run.key_hash,
            position=position,
            batch=kept["batch"],
            first_line=lines[0],
            last_line=lines[1],
            sealed=sealer.seal(content, _context(run, position)),
            kept_until=tx.now + idempotency.KEPT,
        )
    )


def release(tx: Tx, run: Run, *, done: bool) -> None:
    """Lets a run go: it is done, or whoever comes next with the key may go on at once."""
    tx.session.execute(
        update(PermitRun)
        .where(*_named(PermitRun, run.organisation_id, run.key_hash))
        .where(PermitRun.holder == run.holder)
        .values(holder=None, done=done),
        execution_options={"synchronize_session": False},
    )


def forget(tx: Tx, run: Run) -> None:
    """Forgets a run that came to nothing: its key may come again with another body."""
    mine = delete(PermitRun).where(
        *_named(PermitRun, run.organisation_id, run.key_hash), PermitRun.holder == run.holder
    )
    options = {"synchronize_session": False}
    gone = tx.session.execute(
        mine.returning(PermitRun.key_hash), execution_options=options
    ).one_or_none()
    if gone is not None:
        idempotency.forget(tx, run.organisation_id, run.key_hash)


def _insert(tx: Tx, organisation_id: UUID, key_hash: bytes, holder: bytes) -> None:
    # A key whose day is over may come again, before the worker has swept what it left.
    for model in (PermitRunBatch, PermitRun):
        tx.session.execute(delete(model).where(*_named(model, organisation_id, key_hash)))
    tx.session.execute(
        insert(PermitRun).values(
            organisation_id=organisation_id,
            key_hash=key_hash,
            holder=holder,
            held_until=tx.now + HELD,
            done=False,
            kept_until=tx.now + idempotency.KEPT,
        )
    )


def _named(model: Any, organisation_id: UUID, key_hash: bytes) -> tuple[Any, Any]:
    return (model.organisation_id == organisation_id, model.key_hash == key_hash)


def _context(run: Run, position: int) -> bytes:
    return b"consentledger/permit-run/v1\n%b\n%d" % (run.key_hash, position)
