"""/purposes: publish, publish a new version, list, read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from consentledger.organisations import queries
from consentledger.organisations.service import PublishPurpose, publish_purpose
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.paging import PageQuery, listed, page_of
from consentledger.web.api.shapes import PublishedSchema, PurposeInSchema, PurposeSchema

blueprint = ApiBlueprint("purposes", __name__, "What a person agrees to")
PURPOSE, PUBLISHED = PurposeSchema(), PublishedSchema()


@blueprint.operation(
    "POST", "/purposes", scope="publish", takes=PurposeInSchema(), gives=PUBLISHED, status=201
)
def create_purpose(given: dict[str, Any]) -> Response:
    """Publish a purpose."""
    command = _command(given)
    return act(lambda tx: publish_purpose(tx, command), PUBLISHED, 201)


@blueprint.operation(
    "POST",
    "/purposes/<uuid:purpose_id>:publish",
    scope="publish",
    takes=PurposeInSchema(),
    gives=PUBLISHED,
)
def change_purpose(given: dict[str, Any], purpose_id: UUID) -> Response:
    """Publish a new version of a purpose; it may say less than before, never more."""
    command = _command(given, purpose_id)
    return act(lambda tx: publish_purpose(tx, command), PUBLISHED)


@blueprint.operation("GET", "/purposes", scope="publish", query=PageQuery(), gives=page_of(PURPOSE))
def list_purposes(query: dict[str, Any]) -> Response:
    """List purposes."""
    return listed(queries.purposes, lambda row: row.purpose_id, PURPOSE, query)


@blueprint.operation("GET", "/purposes/<uuid:purpose_id>", scope="publish", gives=PURPOSE)
def read_purpose(purpose_id: UUID) -> Response:
    """Read a purpose."""
    with reading() as session:
        found = queries.purpose(session, caller().organisation_id, purpose_id)
    return answer(PURPOSE.dump(found))


def _command(given: dict[str, Any], purpose_id: UUID | None = None) -> PublishPurpose:
    return PublishPurpose(
        organisation_id=caller().organisation_id,
        titles=given["titles"],
        actor=caller().actor,
        purpose_class=given["purpose_class"],
        channels=tuple(given["channels"]),
        categories=tuple(given["categories"]),
        purpose_id=purpose_id,
    )
