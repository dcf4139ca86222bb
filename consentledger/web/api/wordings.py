"""/wordings: draft, edit the draft, publish, list, read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from consentledger.db.unit_of_work import Tx
from consentledger.organisations import queries
from consentledger.organisations.facts import WordingFacts
from consentledger.organisations.service import (
    PublishWording,
    WordingText,
    WriteWording,
    create_wording,
    edit_wording,
    publish_wording,
)
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.paging import PageQuery, listed, page_of
from consentledger.web.api.shapes import (
    NothingSchema,
    WordingInSchema,
    WordingPublishedSchema,
    WordingSchema,
)

blueprint = ApiBlueprint(
    "wordings", __name__, "Texts that people agree to; immutable once published"
)
WORDING, PUBLISHED, NOTHING = WordingSchema(), WordingPublishedSchema(), NothingSchema()


@blueprint.operation(
    "POST", "/wordings", scope="publish", takes=WordingInSchema(), gives=WORDING, status=201
)
def draft_wording(given: dict[str, Any]) -> Response:
    """Write a draft of a wording."""
    command = _command(given)

    def verb(tx: Tx) -> WordingFacts:
        wording_id = create_wording(tx, command)
        return _stored(tx, wording_id)

    return act(verb, WORDING, 201)


@blueprint.operation(
    "PUT", "/wordings/<uuid:wording_id>", scope="publish", takes=WordingInSchema(), gives=WORDING
)
def replace_wording(given: dict[str, Any], wording_id: UUID) -> Response:
    """Replace a draft; a published wording never changes (409)."""
    command = _command(given)

    def verb(tx: Tx) -> WordingFacts:
        edit_wording(tx, wording_id, command)
        return _stored(tx, wording_id)

    return act(verb, WORDING)


@blueprint.operation(
    "POST", "/wordings/<uuid:wording_id>:publish", scope="publish", takes=NOTHING, gives=PUBLISHED
)
def publish_wording_draft(_given: dict[str, Any], wording_id: UUID) -> Response:
    """Publish a draft; 422 names everything that is missing."""
    command = PublishWording(caller().organisation_id, wording_id, caller().actor)
    return act(lambda tx: publish_wording(tx, command), PUBLISHED)


@blueprint.operation("GET", "/wordings", scope="publish", query=PageQuery(), gives=page_of(WORDING))
def list_wordings(query: dict[str, Any]) -> Response:
    """List wordings, drafts too."""
    return listed(queries.wordings, lambda row: row.wording_id, WORDING, query)


@blueprint.operation("GET", "/wordings/<uuid:wording_id>", scope="publish", gives=WORDING)
def read_wording(wording_id: UUID) -> Response:
    """Read a wording."""
    with reading() as session:
        found = queries.wording(session, caller().organisation_id, wording_id)
    return answer(WORDING.dump(found))


def _stored(tx: Tx, wording_id: UUID) -> WordingFacts:
    tx.session.flush()
    return queries.wording(tx.session, caller().organisation_id, wording_id)


def _command(given: dict[str, Any]) -> WriteWording:
    text = WordingText(
        controllers=tuple(given["controllers"]),
        statement=given["statement"],
        withdrawal=given["withdrawal"],
        notice_text=given["notice_text"],
        notice_url=given["notice_url"],
        channel=given["channel"],
    )
    return WriteWording(
        caller().organisation_id, given["sender_id"], given["purpose_id"], given["language"], text
    )
