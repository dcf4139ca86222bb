"""/webhooks: add, list, test, rotate the secret, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from consentledger.db.unit_of_work import Tx
from consentledger.web.api.acting import act
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.paging import PageQuery, listed, page_of
from consentledger.web.api.shapes import Instant, own_id, text
from consentledger.web.services import installation
from consentledger.webhooks import queries, rules, service
from consentledger.webhooks.service import ChangeWebhook, CreateWebhook

SCOPE = "webhooks"
blueprint = ApiBlueprint("webhooks", __name__, "Addresses of yours that are told of erasures")


class WebhookInSchema(Schema):
    """A webhook to add."""

    url = text("https, public, port 443 or above 1023", maxLength=rules.URL, format="uri")
    events = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "of " + ", ".join(rules.EVENTS), "minItems": 1},
    )


class WebhookSecretSchema(Schema):
    """A webhook with its signing secret, shown this one time."""

    webhook_id = own_id("webhook_id")
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    secret = fields.String(required=True, metadata={"description": "whsec_…, shown once"})


class WebhookSchema(Schema):
    """A webhook; `paused` is one that answered 410 and is told nothing but tests."""

    webhook_id = own_id("webhook_id")
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    state = fields.String(required=True, metadata={"enum": [service.LIVE, service.PAUSED]})
    created_at = Instant(required=True)
    last_success_at = Instant(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)
    last_error_at = Instant(required=True, allow_none=True)


class RotateSchema(Schema):
    """How long the replaced secret signs too."""

    overlap_hours = fields.Integer(
        load_default=24,
        strict=True,
        metadata={"description": "0 to 168; 0 when the old secret got out"},
    )


class QueuedSchema(Schema):
    """A message on its way."""

    webhook_id = own_id("webhook_id")
    message_id = fields.String(required=True, metadata={"description": "its `webhook-id` header"})


class DeletedSchema(Schema):
    """What was deleted."""

    webhook_id = own_id("webhook_id")


WEBHOOK, SECRET, QUEUED, DELETED = (
    WebhookSchema(),
    WebhookSecretSchema(),
    QueuedSchema(),
    DeletedSchema(),
)


@blueprint.operation(
    "POST", "/webhooks", scope=SCOPE, takes=WebhookInSchema(), gives=SECRET, status=201
)
def create_webhook(given: dict[str, Any]) -> Response:
    """Add a webhook and get its secret, this one time."""
    command = CreateWebhook(
        caller().organisation_id,
        given["url"],
        tuple(given["events"]),
        caller().actor,
        loopback=installation().settings.webhook_allow_loopback,
    )
    return act(lambda tx: service.create_webhook(tx, command), SECRET, 201)


@blueprint.operation("GET", "/webhooks", scope=SCOPE, query=PageQuery(), gives=page_of(WEBHOOK))
def list_webhooks(query: dict[str, Any]) -> Response:
    """List webhooks, with what became of their last message."""
    return listed(queries.webhooks, lambda row: row.webhook_id, WEBHOOK, query)


@blueprint.operation(
    "POST",
    "/webhooks/<uuid:webhook_id>:rotate",
    scope=SCOPE,
    takes=RotateSchema(),
    gives=SECRET,
)
def rotate_webhook(given: dict[str, Any], webhook_id: UUID) -> Response:
    """Replace a webhook's secret; for a while both sign."""
    overlap = rules.check_overlap(given["overlap_hours"])
    return act(lambda tx: service.rotate_secret(tx, _which(webhook_id), overlap), SECRET)


@blueprint.operation(
    "POST", "/webhooks/<uuid:webhook_id>:test", scope=SCOPE, gives=QUEUED, status=202
)
def test_webhook(webhook_id: UUID) -> Response:
    """Send `webhook.test`; a paused webhook that answers it is live again."""
    return act(lambda tx: service.send_test(tx, _which(webhook_id)), QUEUED, 202)


@blueprint.operation("DELETE", "/webhooks/<uuid:webhook_id>", scope=SCOPE, gives=DELETED)
def delete_webhook(webhook_id: UUID) -> Response:
    """Delete a webhook; what still waits for it is dropped."""
    command = _which(webhook_id)

    def verb(tx: Tx) -> ChangeWebhook:
        service.delete_webhook(tx, command)
        return command

    return act(verb, DELETED)


def _which(webhook_id: UUID) -> ChangeWebhook:
    return ChangeWebhook(caller().organisation_id, webhook_id, caller().actor)
