"""Doing one job, and what an error makes of it: retry, bury, or let the lease run out."""

from __future__ import annotations

import random
from datetime import timedelta

import structlog

from consentledger.kernel.errors import (
    ConsentLedgerError,
    FrozenError,
    InputError,
    IntegrityError,
    UnavailableError,
)
from consentledger.outbox import service
from consentledger.outbox.service import Job, LeaseLostError
from consentledger.worker.context import Context, Handler
from consentledger.worker.peers import RestingError

_log = structlog.get_logger("consentledger.worker")
_CHANCE = random.SystemRandom()
# Wrong input and broken evidence do not get better by waiting: somebody must look.
_HOPELESS = (InputError, IntegrityError)


def perform(context: Context, handler: Handler, job: Job) -> None:
    """Does one leased job; never raises, since the next job must be done whatever became of this."""
    facts = {"kind": job.kind, "job": str(job.outbox_id), "attempt": job.attempt}
    try:
        if job.attempt > handler.policy.most:
            # Leased again and again and never settled: it kills its worker.
            _end(context, handler, job, "the worker died each time")
            _log.error("work given up", **facts, reason="the worker died each time")
            return
        # Upon a restored database nothing is sent: what it holds may be done, or stopped, already.
        context.installation.watch.look(context.database, job.organisation_id)
        handler.run(context, job)
        _log.info("work done", **facts)
    except LeaseLostError:
        _log.warning("lease lost, results rolled back", **facts)
    except RestingError as error:
        _put_back(context, job, error.seconds)
    except FrozenError as error:
        _log.warning("log frozen, work waits", **facts, reason=str(error))
        _put_back(context, job, error.retry_after)
    except UnavailableError as error:
        _log.warning("database unavailable, work will come again", **facts, reason=str(error))
    except Exception as error:
        _failed(context, handler, job, error)


def settle(context: Context, handler: Handler, job: Job, reason: str) -> bool:
    """Makes a failed job due later or ends it after its last try; says whether it comes again."""
    if handler.policy.exhausted(job.attempt):
        _end(context, handler, job, reason)
        return False
    with context.database.begin() as tx:
        service.retry(tx, job, handler.policy, reason)
    return True


def _put_back(context: Context, job: Job, seconds: float) -> None:
    """Makes work for a resting peer or a frozen log due later; it was not tried, so the try does not count."""
    try:
        with context.database.begin() as tx:
            later = timedelta(seconds=seconds * _CHANCE.uniform(1.0, 1.5))
            service.release(tx, job, tx.now + later)
    except ConsentLedgerError as second:
        _log.warning("work not put back, the lease runs out", kind=job.kind, reason=str(second))


def _failed(context: Context, handler: Handler, job: Job, error: Exception) -> None:
    facts = {"kind": job.kind, "job": str(job.outbox_id), "attempt": job.attempt}
    reason = type(error).__name__  # a message might quote an address
    known = isinstance(error, ConsentLedgerError)
    try:
        if isinstance(error, _HOPELESS):
            with context.database.begin() as tx:
                service.bury(tx, job, f"{reason}: {error.code}")
            _log.error("work buried", **facts, reason=reason, exc_info=error)
            return
        again = settle(context, handler, job, reason)
        _log.warning(
            "work failed", **facts, reason=reason, again=again, exc_info=None if known else error
        )
    except ConsentLedgerError as second:
        _log.warning("failure not recorded, the lease runs out", **facts, reason=str(second))


def _end(context: Context, handler: Handler, job: Job, reason: str) -> None:
    with context.database.begin() as tx:
        if handler.give_up is not None:
            handler.give_up(context, tx, job, reason)
        else:
            service.bury(tx, job, reason)
