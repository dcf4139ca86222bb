"""/forms/{id}/figures and :resume: how a form does, and making one that paused itself take sign-ups again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from consentledger.consents.figures import form_figures
from consentledger.kernel.clock import now
from consentledger.organisations import queries
from consentledger.organisations.pausing import resume_form
from consentledger.organisations.service import PublishForm
from consentledger.web.api.acting import act, answer, reading
from consentledger.web.api.form_shapes import FormStateSchema
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.api.shapes import Instant, NothingSchema

blueprint = ApiBlueprint("figures", __name__, "How a form does, and going on after a pause")


class PeriodSchema(Schema):
    """What came of a form's posts in the last days, as far back as `since`."""

    days = fields.Integer(required=True)
    since = Instant(required=True, attribute="since_at")
    requests = fields.Integer(required=True, metadata={"description": "posts that were taken"})
    mailed = fields.Integer(
        required=True, metadata={"description": "of them, those whose own mail the peer took"}
    )
    confirmed = fields.Integer(
        required=True, metadata={"description": "of the mailed ones, those confirmed"}
    )
    flagged = fields.Integer(
        required=True, metadata={"description": "requests of disposable or role addresses"}
    )


class FiguresSchema(Schema):
    """How a form does: one day, and seven; at most the newest 25,000 requests of the organisation are counted."""

    periods = fields.List(fields.Nested(PeriodSchema), required=True)


FIGURES, STATE = FiguresSchema(), FormStateSchema()


@blueprint.operation("GET", "/forms/<uuid:form_id>/figures", scope="publish", gives=FIGURES)
def read_figures(form_id: UUID) -> Response:
    """Count what came of a form's posts: requests, mails, confirmations, flagged addresses."""
    with reading() as session:
        organisation_id = caller().organisation_id
        queries.form(session, organisation_id, form_id)  # not found for another organisation's
        found = form_figures(session, organisation_id, form_id, now())
    return answer(FIGURES.dump({"periods": found}))


@blueprint.operation(
    "POST", "/forms/<uuid:form_id>:resume", scope="publish", takes=NothingSchema(), gives=STATE
)
def resume_paused_form(_given: dict[str, Any], form_id: UUID) -> Response:
    """Make a form that paused itself take sign-ups again; 409 when it is not paused."""
    command = PublishForm(caller().organisation_id, form_id, caller().actor)
    return act(lambda tx: resume_form(tx, command), STATE)
