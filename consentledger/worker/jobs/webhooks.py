"""Telling webhooks: at least once, for three days, and then the message is deleted.

A message may hold an address that the organisation was told to forget: it stays sealed, and no
longer than it takes.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

import structlog

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import now
from consentledger.kernel.errors import IntegrityError
from consentledger.outbox import service as outbox
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.webhooks import rules, service
from consentledger.webhooks.sending import Posted, Way, post
from consentledger.webhooks.service import DELIVER, Target, message_id
from consentledger.worker.context import Context, Handler

# About forty tries in three days; rules.PATIENCE ends them, the number is only a bound.
POLICY = RetryPolicy(most=60, first=20, longest=4 * 3600)
_TOGETHER = "webhooks"  # all of them share one peer's places: a thread is always left for mail
_log = structlog.get_logger("consentledger.worker")


def deliver(context: Context, job: Job) -> None:
    """Sends one message; payload {webhook, event, body}, as webhooks.service writes it."""
    with context.database.begin() as tx:
        target = service.target(tx, job)
        if target is None:
            outbox.complete(tx, job)
            return
    posted = _send(context, job, target)
    with context.database.begin() as tx:
        _settle(tx, job, target, posted)


def _send(context: Context, job: Job, target: Target) -> Posted:
    loopback = context.installation.settings.webhook_allow_loopback
    headers = rules.headers(message_id(job.outbox_id), now(), target.content, target.secrets)
    host = (_TOGETHER, urlsplit(target.url).netloc)
    context.peers.enter(_TOGETHER)
    try:
        context.peers.enter(host)
        posted = None
        try:
            posted = post(Way(target.url, loopback), target.content, headers)
        finally:
            context.peers.leave(host, ill=posted is not None and posted.ill)
    finally:
        context.peers.leave(_TOGETHER, ill=False)
    return posted


def _settle(tx: Tx, job: Job, target: Target, posted: Posted) -> None:
    facts = {"job": str(job.outbox_id), "webhook": str(target.webhook_id), "reason": posted.reason}
    if posted.told:
        service.note_success(tx, job.organisation_id, target.webhook_id)
        outbox.complete(tx, job)
        return
    service.note_error(tx, job.organisation_id, target.webhook_id, posted.reason, pause=posted.gone)
    if posted.gone:
        outbox.complete(tx, job)
        _log.error("webhook paused, its receiver wants nothing more", **facts)
    elif target.event == rules.TEST:
        outbox.complete(tx, job)  # somebody watches; three days of tries would help nobody
    elif POLICY.exhausted(job.attempt) or tx.now - job.made_at >= rules.PATIENCE:
        _end(tx, job, target.webhook_id, posted.reason)
    else:
        outbox.retry(tx, job, POLICY, posted.reason)
        _log.warning("webhook not told, work will come again", **facts, attempt=job.attempt)


def _give_up(context: Context, tx: Tx, job: Job, reason: str) -> None:
    """Ends what killed its worker or failed otherwise each time."""
    try:
        target = service.target(tx, job)
    except IntegrityError:
        target = None  # it opens for nobody
    if target is None:
        outbox.complete(tx, job)
        _log.error("webhook message deleted untold", job=str(job.outbox_id), reason=reason)
    else:
        _end(tx, job, target.webhook_id, reason)


def _end(tx: Tx, job: Job, webhook_id: UUID, reason: str) -> None:
    service.note_error(tx, job.organisation_id, webhook_id, f"given up: {reason}")
    outbox.complete(tx, job)
    # Somebody must tell the receiver by other means; the message named whom, so it is not kept.
    _log.error(
        "webhook given up, message deleted untold",
        organisation=str(job.organisation_id),
        webhook=str(webhook_id),
        job=str(job.outbox_id),
        attempt=job.attempt,
        reason=reason,
    )


HANDLERS = (
    Handler(
        DELIVER,
        "Tells one webhook of an event, signed; for three days, and then the message is deleted.",
        deliver,
        POLICY,
        _give_up,
    ),
)
