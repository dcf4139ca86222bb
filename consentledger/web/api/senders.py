"""/senders: publish, publish a new version, list, read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from consentledger.organisations import queries
from consentledger.organisations.facts import SenderIdentity, SenderTransport
from consentledger.organisations.service import PublishSender, publish_sender
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.paging import PageQuery, listed, page_of
from consentledger.web.api.shapes import (
    PublishedSchema,
    SenderInSchema,
    SenderSchema,
    SenderVersionSchema,
)

blueprint = ApiBlueprint(
    "senders", __name__, "Brands and From addresses, with who stands behind them"
)
SENDER, PUBLISHED = SenderSchema(), PublishedSchema()


@blueprint.operation(
    "POST", "/senders", scope="publish", takes=SenderInSchema(), gives=PUBLISHED, status=201
)
def create_sender(given: dict[str, Any]) -> Response:
    """Publish a sender."""
    command = _command(given)
    return act(lambda tx: publish_sender(tx, command), PUBLISHED, 201)


@blueprint.operation(
    "POST",
    "/senders/<uuid:sender_id>:publish",
    scope="publish",
    takes=SenderVersionSchema(),
    gives=PUBLISHED,
)
def change_sender(given: dict[str, Any], sender_id: UUID) -> Response:
    """Publish a new version of a sender."""
    command = _command(given, sender_id)
    return act(lambda tx: publish_sender(tx, command), PUBLISHED)


@blueprint.operation("GET", "/senders", scope="publish", query=PageQuery(), gives=page_of(SENDER))
def list_senders(query: dict[str, Any]) -> Response:
    """List senders."""
    return listed(queries.senders, lambda row: row.sender_id, SENDER, query)


@blueprint.operation("GET", "/senders/<uuid:sender_id>", scope="publish", gives=SENDER)
def read_sender(sender_id: UUID) -> Response:
    """Read a sender."""
    with reading() as session:
        found = queries.sender(session, caller().organisation_id, sender_id)
    return answer(SENDER.dump(found))


def _command(given: dict[str, Any], sender_id: UUID | None = None) -> PublishSender:
    link_host, transport = given.pop("link_host"), given.pop("transport")
    drop = given.pop("drop_transport", False)
    return PublishSender(
        organisation_id=caller().organisation_id,
        identity=SenderIdentity(**given),
        actor=caller().actor,
        sender_id=sender_id,
        link_host=link_host,
        transport=SenderTransport(**transport) if transport else None,
        drop_transport=drop,
    )
