"""The one mail behind POST /stop: its link makes the pause final.

`stop.decide` looks whether the address is on record and enqueues `stop.send`. Nothing is appended:
the pause is in the log already, and the press on the link will be.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.mail.confirmation import StopLink, stop_mail
from consentledger.mail.message import build
from consentledger.organisations.queries import sender as read_sender
from consentledger.outbox import service
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.stops.asking import DECIDE, SEND, decide_stop
from consentledger.stops.commands import StopMail
from consentledger.stops.rules import PAUSE
from consentledger.worker.context import Context, Handler
from consentledger.worker.jobs import letters

SENDING = RetryPolicy(most=10, first=60, longest=2 * 3600)
_log = structlog.get_logger("consentledger.worker")


def decide(context: Context, job: Job) -> None:
    """Decides whether a stop by address gets its mail; payload {link}: the 12-byte id in hex."""
    with context.database.begin() as tx:
        payload = letters.opened(tx, job)
        if payload is None:
            return
        mail = decide_stop(tx, bytes.fromhex(payload["link"]))
        if mail is not None:
            _enqueue(context, tx, job, mail)
        service.complete(tx, job)


def send(context: Context, job: Job) -> None:
    """Hands the stop mail over; payload of `letters.pack`."""
    with context.database.begin() as tx:
        payload = letters.opened(tx, job)
        if payload is None:
            return
        way = letters.way_out(context, tx, job, payload)
    delivery = letters.hand_over(context, way, payload, "stop")
    with context.database.begin() as tx:
        if delivery.outcome == "deferred":
            service.retry(tx, job, SENDING, delivery.reason)
        else:
            service.complete(tx, job)
    if not delivery.accepted:
        _log.warning("stop mail not taken", job=str(job.outbox_id), reason=delivery.reason)


def _enqueue(context: Context, tx: Tx, job: Job, facts: StopMail) -> None:
    installation = context.installation
    try:
        published = read_sender(tx.session, facts.organisation_id, facts.sender_id)
    except NotFoundError:
        return  # a sender that is gone writes to nobody, and there is nothing left to stop
    sender = letters.identity(published.identity)
    message_id = f"<{facts.link_id.hex()}.stop@{letters.domain_of(sender.from_address)}>"
    wire = build(
        stop_mail(
            StopLink(
                sender=sender,
                recipient=facts.address,
                language=facts.language,
                paused_until=job.made_at + PAUSE,
                base_url=letters.base_url(installation, published.link_host),
                token=letters.starred(installation.tokens, "stop", facts.link_id),
                message_id=message_id,
                at=facts.at,
            )
        )
    )
    payload = letters.pack(
        wire, sender_id=facts.sender_id, link_id=facts.link_id, message_id=message_id
    )
    key_id: UUID | None = job.key_id
    keys = None
    if key_id is not None:
        keys = tx.log.keystore.contact_keys(tx.session, job.organisation_id, key_id)
    service.enqueue(tx, facts.organisation_id, SEND, payload, keys=keys)


HANDLERS = (
    Handler(DECIDE, "Decides whether a stop by address gets its one mail.", decide),
    Handler(SEND, "Hands the mail with the stop link to the sender's SMTP peer.", send, SENDING),
)
