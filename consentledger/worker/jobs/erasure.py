"""Destroying what a committed log.erasure or log.retention covers; never before it has committed."""

from __future__ import annotations

from consentledger.erasure.retaining import EVERY, RETAIN, destroy_retained
from consentledger.erasure.service import DESTROY, destroy
from consentledger.outbox import service
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.worker.context import Context, Handler


def run(context: Context, job: Job) -> None:
    """Destroys keys, openings and rows; payload {plans}, as erasure.rules writes them."""
    with context.database.begin() as tx:
        payload = service.open_job(tx, job)
        destroy(tx, job.organisation_id, payload)
        service.complete(tx, job)


def retain(context: Context, job: Job) -> None:
    """Destroys openings that have reached their age, in batches; payload {class, first, size}.

    What a legal hold covers is looked at again the next day.
    """
    after: int | None = -1
    held = False
    while after is not None:
        with context.database.begin() as tx:
            done = destroy_retained(tx, job.organisation_id, service.open_job(tx, job), after)
            held, after = held or done.held, done.after
            if after is None and held:
                service.release(tx, job, tx.now + EVERY)
            elif after is None:
                service.complete(tx, job)


# An erasure that is logged must happen: it is tried for days before somebody is asked to look.
HANDLERS = (
    Handler(
        DESTROY,
        "Destroys keys, openings and rows that a committed log.erasure covers.",
        run,
        RetryPolicy(most=60, first=5, longest=3600),
    ),
    Handler(
        RETAIN,
        "Destroys openings that have reached their age, by a committed log.retention.",
        retain,
        RetryPolicy(most=60, first=5, longest=3600),
    ),
)
