"""/forms: draft, edit the draft, publish as the next version, take down, list, read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from consentledger.db.unit_of_work import Tx
from consentledger.organisations import queries
from consentledger.organisations.facts import FormFacts, FormField
from consentledger.organisations.service import (
    FormSpec,
    PublishForm,
    WriteForm,
    create_form,
    edit_form,
    publish_form,
    unpublish_form,
)
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.form_shapes import (
    FormInSchema,
    FormPublishedSchema,
    FormSchema,
    FormStateSchema,
)
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.paging import PageQuery, listed, page_of
from consentledger.web.api.shapes import NothingSchema

blueprint = ApiBlueprint("forms", __name__, "Sign-up forms, in versions")
FORM, PUBLISHED, STATE = FormSchema(), FormPublishedSchema(), FormStateSchema()
NOTHING = NothingSchema()


@blueprint.operation(
    "POST", "/forms", scope="publish", takes=FormInSchema(), gives=FORM, status=201
)
def draft_form(given: dict[str, Any]) -> Response:
    """Write a draft of a form."""
    command = _command(given)
    return act(lambda tx: _stored(tx, create_form(tx, command).form_id), FORM, 201)


@blueprint.operation(
    "PUT", "/forms/<uuid:form_id>", scope="publish", takes=FormInSchema(), gives=FORM
)
def replace_form(given: dict[str, Any], form_id: UUID) -> Response:
    """Replace a form's draft; what is published stays until the next publishing."""
    command = _command(given)
    return act(lambda tx: _stored(tx, edit_form(tx, form_id, command).form_id), FORM)


@blueprint.operation(
    "POST", "/forms/<uuid:form_id>:publish", scope="publish", takes=NOTHING, gives=PUBLISHED
)
def publish_form_draft(_given: dict[str, Any], form_id: UUID) -> Response:
    """Publish the draft as the next version; 422 names everything that is missing."""
    command = PublishForm(caller().organisation_id, form_id, caller().actor)
    return act(lambda tx: publish_form(tx, command), PUBLISHED)


@blueprint.operation(
    "POST", "/forms/<uuid:form_id>:unpublish", scope="publish", takes=NOTHING, gives=STATE
)
def take_down_form(_given: dict[str, Any], form_id: UUID) -> Response:
    """Take a form down: it collects nothing any more."""
    command = PublishForm(caller().organisation_id, form_id, caller().actor)
    return act(lambda tx: unpublish_form(tx, command), STATE)


@blueprint.operation("GET", "/forms", scope="publish", query=PageQuery(), gives=page_of(FORM))
def list_forms(query: dict[str, Any]) -> Response:
    """List forms, drafts too."""
    return listed(queries.forms, lambda row: row.form_id, FORM, query)


@blueprint.operation("GET", "/forms/<uuid:form_id>", scope="publish", gives=FORM)
def read_form(form_id: UUID) -> Response:
    """Read a form: its state, its served version, its draft."""
    with reading() as session:
        found = queries.form(session, caller().organisation_id, form_id)
    return answer(FORM.dump(found))


def _stored(tx: Tx, form_id: UUID) -> FormFacts:
    tx.session.flush()
    return queries.form(tx.session, caller().organisation_id, form_id)


def _command(given: dict[str, Any]) -> WriteForm:
    spec = FormSpec(
        sender_id=given["sender_id"],
        language=given["language"],
        wordings=tuple(given["wordings"]),
        fields=tuple(FormField(**each) for each in given["fields"]),
        origins=tuple(given["origins"]),
        returns=tuple(given["returns"]),
        channel=given["channel"],
    )
    return WriteForm(caller().organisation_id, spec, given["name"], given["translation_of"])
