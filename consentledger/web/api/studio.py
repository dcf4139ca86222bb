"""/forms/{id}/…: what a form lacks, how it will look, and what to paste into a page."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from consentledger.organisations import freezing, queries
from consentledger.organisations.studio.publishing import lacking
from consentledger.organisations.translations import completeness
from consentledger.web import rendering
from consentledger.web.api.acting import answer, reading
from consentledger.web.api.form_shapes import CompletenessSchema, SnippetsSchema
from consentledger.web.api.keys import caller
from consentledger.web.api.operation import ApiBlueprint
from consentledger.web.public.form.preview import preview_page
from consentledger.web.services import installation
from consentledger.web.snippets import pasted, snippets
from consentledger.web.words import LANGUAGES

blueprint = ApiBlueprint("studio", __name__, "How a form will look, what it lacks, what to paste")
COMPLETENESS, SNIPPETS = CompletenessSchema(), SnippetsSchema()


@blueprint.operation(
    "GET", "/forms/<uuid:form_id>/completeness", scope="publish", gives=COMPLETENESS
)
def check_form(form_id: UUID) -> Response:
    """Say what a form's draft and its translations lack before they can be published."""
    with reading() as session:
        found = completeness(session, caller().organisation_id, form_id, LANGUAGES)
    return answer(COMPLETENESS.dump(found))


@blueprint.operation("GET", "/forms/<uuid:form_id>/preview", scope="publish", file="text/html")
def preview_form(form_id: UUID) -> Response:
    """Show a form's draft as it would be served, and what it lacks; nothing can be sent from it."""
    owner = caller().organisation_id
    with reading() as session:
        form = queries.form(session, owner, form_id)
        parts = freezing.parts_of(session, owner, freezing.spec_of(form.draft))
        said = completeness(session, owner, form_id, LANGUAGES)
        gaps = lacking(session, owner, said)
    return rendering.answer(preview_page(form, parts, [gap.message for gap in gaps]))


@blueprint.operation("GET", "/forms/<uuid:form_id>/snippets", scope="publish", gives=SNIPPETS)
def form_snippets(form_id: UUID) -> Response:
    """Give what to paste into a page: the element, the same pinned, a frame, plain HTML, a server's call."""
    with reading() as session:
        form = queries.form(session, caller().organisation_id, form_id)
        found = pasted(session, installation().settings.base_url, form)
    return answer(SNIPPETS.dump(snippets(found)))
