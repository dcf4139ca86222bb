"""The one confirmation mail: decided, sent, and its outcome told (product.md, promise 8).

`confirmation.decide` decides a request and appends confirmation.prepared before anything is sent;
then either `confirmation.send` hands the mail over, or `confirmation.settle` waits as long as a mail
takes. Both end in one confirmation.handled, so that not even the log's growth tells who is known.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from consentledger.consents import queries, rules
from consentledger.consents.commands import (
    DecideConfirmation,
    HandleConfirmation,
    MailFacts,
    Outcome,
    RenderedMail,
)
from consentledger.consents.service import (
    DECIDE,
    SEND,
    SETTLE,
    as_late_as_a_mail,
    handle_confirmation,
    prepare_confirmation,
    weigh_confirmation,
)
from consentledger.contacts import service as contacts
from consentledger.contacts.standing import stopped_since
from consentledger.db.installation import Installation
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import UnavailableError
from consentledger.mail.confirmation import Asked, Confirmation, confirmation_mail
from consentledger.mail.message import build
from consentledger.mail.result import Delivery
from consentledger.outbox import service
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.worker.context import Context, Handler
from consentledger.worker.jobs import letters, lookups

# Ten tries in about six hours: a mail that asks for a press is of no use much later.
SENDING = RetryPolicy(most=10, first=60, longest=2 * 3600)
PATIENT = RetryPolicy(most=20, first=2, longest=3600)
# How long an accepted mail's outcome is tried to be told before its lease is left to run out.
_TELLING = (0.5, 1.0, 2.0, 4.0)
# What waits for one mailbox's turn comes again within so many seconds, and not all of it at once.
_APART = 60.0
_CHANCE = random.SystemRandom()


def decide(context: Context, job: Job) -> None:
    """Decides a request; payload {request}. While its mailbox has had enough mail, it waits for its turn."""
    with context.database.begin() as tx:
        payload = letters.opened(tx, job)
        if payload is None:
            return
        # This locks the contact, before the job's row: an erasure locks them in this order too.
        command = DecideConfirmation(job.organisation_id, UUID(payload["request"]))
        weighed = weigh_confirmation(tx, command)
        if weighed.run_at is not None:
            run_at = weighed.run_at + timedelta(seconds=_CHANCE.uniform(0, _APART))
            service.release(tx, job, run_at)
            return
        service.complete(tx, job)
        prepare_confirmation(tx, weighed, partial(render_mail, context.installation))


def render_mail(installation: Installation, facts: MailFacts) -> RenderedMail:
    """Builds the confirmation mail of what was decided, its link's MAC starred out."""
    form = facts.form
    sender = letters.identity(form.sender)
    message_id = f"<{facts.link_id.hex()}.confirm@{letters.domain_of(sender.from_address)}>"
    asked = tuple(
        Asked(box.title, item.requested_at, item.expires_at)
        for item in facts.items
        if (box := item.form.purpose(item.purpose_id)) is not None
    )
    wire = build(
        confirmation_mail(
            Confirmation(
                sender=sender,
                recipient=facts.address,
                language=form.language,
                asked=asked,
                base_url=letters.base_url(installation, form.link_host),
                token=letters.starred(installation.tokens, "confirm", facts.link_id),
                message_id=message_id,
                at=facts.at,
            )
        )
    )
    payload = letters.pack(
        wire, sender_id=form.sender_id, link_id=facts.link_id, message_id=message_id
    )
    return RenderedMail(copy=wire.data, message_id=message_id, payload=payload)


def send(context: Context, job: Job) -> None:
    """Hands the mail over and tells what became of it; payload of `letters.pack`, and
    {request, contact, link}."""
    with context.database.begin() as tx:
        payload = letters.opened(tx, job)
        if payload is None:
            return
        if not _still_wanted(tx, job, payload):
            _tell(tx, job, payload, "given_up", attempts=job.attempt - 1)
            return
        way = letters.way_out(context, tx, job, payload)
    undeliverable = lookups.refusal(context, payload["to"])
    if undeliverable is not None:
        _do_not_send(context, job, payload, undeliverable)
        return
    delivery = letters.hand_over(context, way, payload, "confirm")
    if delivery.outcome == "deferred" and not SENDING.exhausted(job.attempt):
        with context.database.begin() as tx:
            service.retry(tx, job, SENDING, delivery.reason)
        return
    outcome: Outcome = "given_up"
    if delivery.accepted:
        outcome = "sent"
    elif delivery.refused:
        outcome = "refused"
    _tell_surely(context, job, payload, outcome, delivery)


def _do_not_send(context: Context, job: Job, payload: Mapping[str, Any], refusal: Delivery) -> None:
    """Leaves the refusal to `settle`, so that it is told as late as a peer's would be."""
    told = {name: payload[name] for name in ("request", "contact", "link", "message_id")}
    told |= {"outcome": "refused", "smtp_code": refusal.code, "smtp_answer": refusal.text}
    with context.database.begin() as tx:
        _lock(tx, job, UUID(payload["contact"]))
        service.complete(tx, job)
        keys = None
        if job.key_id is not None:
            keys = tx.log.keystore.contact_keys(tx.session, job.organisation_id, job.key_id)
        told["attempts"] = job.attempt - 1
        run_at = as_late_as_a_mail(tx.now)
        service.enqueue(tx, job.organisation_id, SETTLE, told, keys=keys, run_at=run_at)


def settle(context: Context, job: Job) -> None:
    """Tells the outcome of a request that got no mail; payload {request, contact, link, outcome}.

    Of a mail that was not handed over, because its domain takes none, also {smtp_code, smtp_answer, attempts}.
    """
    with context.database.begin() as tx:
        payload = letters.opened(tx, job)
        if payload is not None:
            more = {name: payload.get(name) for name in ("smtp_code", "smtp_answer")}
            attempts = payload.get("attempts", 0)
            _tell(tx, job, payload, payload["outcome"], attempts=attempts, **more)


def give_up_sending(_context: Context, tx: Tx, job: Job, _reason: str) -> None:
    """Tells that a mail which could not be handed over is given up."""
    payload = letters.opened(tx, job)
    if payload is not None:
        _tell(tx, job, payload, "given_up", attempts=job.attempt)


def _lock(tx: Tx, job: Job, contact_id: UUID | None) -> None:
    """Locks the contact before the job's row: an erasure locks them in this order too."""
    if contact_id is not None:
        contacts.lock(tx, job.organisation_id, [contact_id])


def _still_wanted(tx: Tx, job: Job, payload: Mapping[str, Any]) -> bool:
    """Says whether the mail may still go: after a stop, an expiry or `not me` none is sent."""
    found = queries.request_by_id(tx.session, job.organisation_id, UUID(payload["request"]))
    if found is None or found.state != rules.OPEN or tx.now >= found.expires_at:
        return False
    contact = contacts.lock(tx, job.organisation_id, [found.contact_id]).get(found.contact_id)
    if contact is None:
        return False
    number = found.entry_numbers[0]
    return not all(
        stopped_since(
            contact.standing, found.sender_id, box["purpose"], found.channel, number, tx.now
        )
        for box in found.purposes
    )


def _tell(tx: Tx, job: Job, payload: Mapping[str, Any], outcome: Outcome, **more: Any) -> None:
    _lock(tx, job, UUID(payload["contact"]))
    service.complete(tx, job)  # before the append, behind which nothing is written
    handle_confirmation(
        tx,
        HandleConfirmation(
            organisation_id=job.organisation_id,
            contact_id=UUID(payload["contact"]),
            request_id=UUID(payload["request"]),
            outcome=outcome,
            link_id=bytes.fromhex(payload["link"]) if payload["link"] else None,
            message_id=payload.get("message_id"),
            **more,
        ),
    )


def _tell_surely(
    context: Context, job: Job, payload: Mapping[str, Any], outcome: Outcome, delivery: Delivery
) -> None:
    """Tells what a peer said, again while the database is away: a lost answer is a second mail."""
    for pause in (*_TELLING, None):
        try:
            with context.database.begin() as tx:
                _tell(
                    tx,
                    job,
                    payload,
                    outcome,
                    smtp_code=delivery.code,
                    smtp_answer=delivery.text or None,
                    attempts=job.attempt,
                )
            return
        except UnavailableError:
            if pause is None:
                raise
            time.sleep(pause)


HANDLERS = (
    Handler(
        DECIDE,
        "Decides what becomes of a sign-up: one mail, or none.",
        decide,
        PATIENT,
    ),
    Handler(
        SEND,
        "Hands one confirmation mail to the sender's SMTP peer.",
        send,
        SENDING,
        give_up_sending,
    ),
    Handler(
        SETTLE,
        "Tells the outcome of a sign-up that got no mail, as late as if one had been sent.",
        settle,
        PATIENT,
    ),
)
