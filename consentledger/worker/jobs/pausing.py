"""Forms that pause themselves: found by the clock, told to the marketer by webhook and by one mail."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import structlog

from consentledger.consents.figures import FormCount, forms_with_many, organisations_serving
from consentledger.db.installation import Installation
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import from_text, now, to_text
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.mail.message import WireMail, build
from consentledger.mail.paused import PausedForm, paused_mail
from consentledger.organisations import queries
from consentledger.organisations.pause_rules import reason_to_pause
from consentledger.organisations.pausing import FormPaused, PauseForm, pause_form
from consentledger.outbox import service
from consentledger.outbox.rules import RetryPolicy
from consentledger.outbox.service import Job
from consentledger.webhooks.service import announce
from consentledger.worker.context import Context, Handler
from consentledger.worker.jobs import letters

KIND = "form.paused"
SENDING = RetryPolicy(most=10, first=60, longest=2 * 3600)
_log = structlog.get_logger("consentledger.worker")


def pause_due(installation: Installation) -> int:
    """Pauses the forms of which too few mailed requests were confirmed; returns how many.

    One organisation's log that can't be written now keeps no other's form open.
    """
    with installation.database.read() as session:
        serving = organisations_serving(session)
    return sum(_pause_of(installation, organisation_id) for organisation_id in serving)


def _pause_of(installation: Installation, organisation_id: UUID) -> int:
    with installation.database.read() as session:
        counts = forms_with_many(session, organisation_id, now())
    paused = 0
    for count in counts:
        reason = reason_to_pause(count.mailed, count.confirmed)
        if reason is None:
            continue
        try:
            paused += _pause(installation, organisation_id, count, reason)
        except ConsentLedgerError as error:
            _log.warning("form not paused", form=str(count.form_id), reason=str(error))
    return paused


def _pause(
    installation: Installation, organisation_id: UUID, count: FormCount, reason: str
) -> bool:
    command = PauseForm(
        organisation_id=organisation_id,
        form_id=count.form_id,
        counted_from=count.counted_from,
        reason=reason,
        mailed=count.mailed,
        confirmed=count.confirmed,
    )
    with installation.database.begin() as tx:
        done = pause_form(tx, command, partial(_tell, tx))
    if done:
        _log.warning("form paused", form=str(count.form_id), reason=reason)
    return done


def _tell(tx: Tx, paused: FormPaused) -> None:
    told = {
        "form": str(paused.form_id),
        "version": paused.version,
        "reason": paused.reason,
        "mailed": paused.mailed,
        "confirmed": paused.confirmed,
        "at": to_text(paused.at),
    }
    announce(tx, paused.organisation_id, KIND, told)
    service.enqueue(tx, paused.organisation_id, KIND, told)


def send(context: Context, job: Job) -> None:
    """Mails the sender's contact address; payload {form, version, reason, mailed, confirmed, at}.

    Nothing is sent of a form that was resumed meanwhile.
    """
    with context.database.begin() as tx:
        payload = service.open_job(tx, job)
        form = queries.form(tx.session, job.organisation_id, UUID(payload["form"]))
        if form.paused is None or form.paused["at"] != payload["at"]:
            service.complete(tx, job)
            return
        sender_id, mail = _mail(context.installation, tx, job, payload, form.name)
        way = context.mailer.way_of(tx.session, job.organisation_id, sender_id)
    delivery = context.mailer.send(way, mail)
    with context.database.begin() as tx:
        if delivery.outcome == "deferred":
            service.retry(tx, job, SENDING, delivery.reason)
        else:
            service.complete(tx, job)
    if not delivery.accepted:
        _log.warning("mail of a paused form not taken", reason=delivery.reason)


def _mail(
    installation: Installation, tx: Tx, job: Job, payload: dict[str, Any], name: str | None
) -> tuple[UUID, WireMail]:
    form_id = UUID(payload["form"])
    shown = queries.form_version(tx.session, job.organisation_id, form_id, payload["version"])
    published = queries.sender(tx.session, job.organisation_id, shown.sender_id)
    sender = letters.identity(published.identity)
    base_url = installation.settings.base_url
    facts = PausedForm(
        sender=sender,
        recipient=sender.contact_email,
        language=shown.language,
        form=name or str(form_id),
        page=f"{letters.base_url(installation, published.link_host)}/f/{form_id}",
        resume=f"{base_url}/api/v1/forms/{form_id}:resume",
        mailed=payload["mailed"],
        confirmed=payload["confirmed"],
        paused_at=from_text(payload["at"]),
        message_id=f"<{job.outbox_id.hex}.paused@{letters.domain_of(sender.from_address)}>",
    )
    return shown.sender_id, build(paused_mail(facts))


HANDLERS = (
    Handler(
        KIND, "Mails a marketer, once, that a form of theirs has paused itself.", send, SENDING
    ),
)
