"""Verbs of webhooks: create, rotate, delete, test, announce, and what became of a delivery."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select, update

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.outbox.service import MAX_ERROR, Job, enqueue, open_job
from consentledger.webhooks import rules
from consentledger.webhooks.models import Webhook

DELIVER = "webhook.deliver"
LIVE, PAUSED = "live", "paused"


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    """An address to tell, and of what; `loopback` as in rules.check_url."""

    organisation_id: UUID
    url: str
    events: tuple[str, ...]
    actor: str = "operator"
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class WebhookCreated:
    """The new webhook, or the one whose secret changed; `secret` is shown now and never again."""

    webhook_id: UUID
    url: str
    events: tuple[str, ...]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeWebhook:
    """Which webhook to rotate, delete or test."""

    organisation_id: UUID
    webhook_id: UUID
    actor: str = "operator"


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that a worker will deliver; `message_id` is its `webhook-id`."""

    webhook_id: UUID
    message_id: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where one message goes: the address, and the secrets that sign it now."""

    webhook_id: UUID
    url: str
    event: str
    content: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def create_webhook(tx: Tx, command: CreateWebhook) -> WebhookCreated:
    """Adds a webhook (`configuration.changed` names its host and events); ConflictError for the 21st."""
    url = rules.check_url(command.url, loopback=command.loopback)
    events = rules.check_events(command.events)
    count = select(func.count()).where(Webhook.organisation_id == command.organisation_id)
    if (tx.session.scalar(count) or 0) >= rules.MOST:
        raise ConflictError(f"an organisation has at most {rules.MOST} webhooks")
    webhook_id, secret = uuid7(), rules.new_secret(os.urandom(rules.SECRET_BYTES))
    tx.session.add(
        Webhook(
            organisation_id=command.organisation_id,
            webhook_id=webhook_id,
            url=url,
            events=list(events),
            sealed_secrets=_seal(tx, command.organisation_id, webhook_id, [rules.Secret(secret)]),
            state=LIVE,
            created_at=tx.now,
        )
    )
    parts = urlsplit(url)
    # Not the whole address: some services put a secret into its path.
    value = f"{parts.scheme}://{parts.netloc} {','.join(events)}"
    _record(tx, command.organisation_id, f"webhook.{webhook_id}", value, command.actor)
    return WebhookCreated(webhook_id, url, events, secret)


def rotate_secret(tx: Tx, command: ChangeWebhook, overlap: timedelta) -> WebhookCreated:
    """Makes a new secret; the old one signs too until `overlap` is over. NotFoundError as in `delete_webhook`."""
    row = _locked(tx, command)
    secret = rules.new_secret(os.urandom(rules.SECRET_BYTES))
    before = open_secrets(tx, row)
    after = rules.rotate(before, secret, tx.now, overlap)
    row.sealed_secrets = _seal(tx, row.organisation_id, row.webhook_id, after)
    setting = f"webhook.{row.webhook_id}.secret"
    _record(tx, command.organisation_id, setting, "rotated", command.actor)
    return WebhookCreated(row.webhook_id, row.url, tuple(row.events), secret)


def delete_webhook(tx: Tx, command: ChangeWebhook) -> None:
    """Deletes a webhook: what still waits for it is dropped. NotFoundError when it is not theirs."""
    row = _locked(tx, command)
    tx.session.execute(
        delete(Webhook).where(
            Webhook.organisation_id == row.organisation_id, Webhook.webhook_id == row.webhook_id
        )
    )
    setting = f"webhook.{command.webhook_id}"
    _record(tx, command.organisation_id, setting, None, command.actor)


def send_test(tx: Tx, command: ChangeWebhook) -> Queued:
    """Enqueues `webhook.test`, for a paused webhook too: an answer of 2xx makes it live again."""
    row = _locked(tx, command)
    content = rules.body(rules.TEST, tx.now, {"webhook": str(row.webhook_id)})
    return _enqueue(tx, command.organisation_id, row.webhook_id, rules.TEST, content)


def announce(tx: Tx, organisation_id: UUID, event: str, payload: Mapping[str, Any]) -> list[Queued]:
    """Enqueues one message per live webhook that wants `event`; before the log's append.

    `payload` becomes the message's `data`, with what the receiver must do. It is sealed under the
    organisation's key, not the contact's, since that one dies before the recipients are told.
    """
    if event not in rules.EVENTS:
        raise ValueError(f"{event} is no event of webhooks")
    query = (
        select(Webhook.webhook_id, Webhook.events)
        .where(Webhook.organisation_id == organisation_id, Webhook.state == LIVE)
        .order_by(Webhook.webhook_id)
    )
    wanting = [row.webhook_id for row in tx.session.execute(query) if event in row.events]
    content = rules.body(event, tx.now, {**payload, "todo": rules.EVENTS[event]})
    return [_enqueue(tx, organisation_id, webhook_id, event, content) for webhook_id in wanting]


def target(tx: Tx, job: Job) -> Target | None:
    """Returns where a message goes and what it says; None when nobody wants it any more."""
    said = open_job(tx, job)
    row = tx.session.get(Webhook, (job.organisation_id, UUID(said["webhook"])))
    if row is None or (row.state != LIVE and said["event"] != rules.TEST):
        return None
    secrets = rules.signing(open_secrets(tx, row), tx.now)
    return Target(row.webhook_id, row.url, said["event"], said["body"].encode(), tuple(secrets))


def note_success(tx: Tx, organisation_id: UUID, webhook_id: UUID) -> None:
    """Remembers that the webhook answered 2xx: it is live."""
    _note(tx, organisation_id, webhook_id, last_success_at=tx.now, state=LIVE)


def note_error(
    tx: Tx, organisation_id: UUID, webhook_id: UUID, reason: str, *, pause: bool = False
) -> None:
    """Remembers why a delivery failed; `pause`: the webhook is told nothing more but tests."""
    values: dict[str, Any] = {"last_error": reason[:MAX_ERROR], "last_error_at": tx.now}
    if pause:
        values["state"] = PAUSED
    _note(tx, organisation_id, webhook_id, **values)


def open_secrets(tx: Tx, row: Webhook) -> list[rules.Secret]:
    """Opens a webhook's secrets, the newest first."""
    sealer = tx.log.keystore.organisation(tx.session, row.organisation_id).sealer
    context = _context(row.organisation_id, row.webhook_id)
    return rules.load_secrets(sealer.open(row.sealed_secrets, context))


def _enqueue(tx: Tx, organisation_id: UUID, webhook_id: UUID, event: str, content: str) -> Queued:
    payload = {"webhook": str(webhook_id), "event": event, "body": content}
    outbox_id = enqueue(tx, organisation_id, DELIVER, payload)
    return Queued(webhook_id, message_id(outbox_id))


def message_id(outbox_id: UUID) -> str:
    """Returns the `webhook-id` of a message, the same at every try (by it a receiver knows repeats)."""
    return f"msg_{outbox_id.hex}"


def _locked(tx: Tx, command: ChangeWebhook) -> Webhook:
    row = tx.session.scalar(
        select(Webhook)
        .where(
            Webhook.organisation_id == command.organisation_id,
            Webhook.webhook_id == command.webhook_id,
        )
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such webhook")
    return row


def _note(tx: Tx, organisation_id: UUID, webhook_id: UUID, **values: Any) -> None:
    tx.session.execute(
        update(Webhook)
        .where(Webhook.organisation_id == organisation_id, Webhook.webhook_id == webhook_id)
        .values(values)
    )


def _seal(tx: Tx, organisation_id: UUID, webhook_id: UUID, secrets: list[rules.Secret]) -> bytes:
    sealer = tx.log.keystore.organisation(tx.session, organisation_id).sealer
    return sealer.seal(rules.dump_secrets(secrets), _context(organisation_id, webhook_id))


def _context(organisation_id: UUID, webhook_id: UUID) -> bytes:
    return b"consentledger/webhook/v1\n%b\n%b" % (organisation_id.bytes, webhook_id.bytes)


def _record(tx: Tx, organisation_id: UUID, setting: str, value: str | None, actor: str) -> None:
    draft = Draft("configuration.changed", {"setting": setting, "value": value}, actor=actor)
    tx.log.append(tx, organisation_id, [draft])
