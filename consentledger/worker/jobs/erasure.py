"""Destroying what a committed log.erasure covers; never before it has committed."""

from __future__ import annotations

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


# An erasure that is logged must happen: it is tried for days before somebody is asked to look.
HANDLERS = (
    Handler(
        DESTROY,
        "Destroys keys, openings and rows that a committed log.erasure covers.",
        run,
        RetryPolicy(most=60, first=5, longest=3600),
    ),
)
