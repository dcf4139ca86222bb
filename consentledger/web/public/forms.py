"""GET /f/<form>, GET /f/<form>/embed, POST /f/<form>: the sign-up form, its frame, and its submission."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, g, redirect, request

from consentledger.kernel.errors import ForbiddenError, InputError
from consentledger.organisations.addresses import allowed_return
from consentledger.organisations.facts import PublishedForm
from consentledger.web import client, posted, rendering, security
from consentledger.web.access import public
from consentledger.web.cached import published_form
from consentledger.web.public import signing_up
from consentledger.web.public.forms_shown import accepted, check_mail_page, form_page
from consentledger.web.services import installation

blueprint = Blueprint("forms", __name__)
SOURCES = ("hosted", "iframe")


@blueprint.get("/f/<uuid:form_id>", provide_automatic_options=False)
@public
def hosted(form_id: UUID) -> Response:
    """Show the form on a page of ours."""
    form = published_form(form_id)
    rendering.speak(form.language)
    return rendering.answer(form_page(form, source="hosted"))


@blueprint.get("/f/<uuid:form_id>/embed")
@public
def embed(form_id: UUID) -> Response:
    """Show the form in a frame; only pages of the form's origins may frame it."""
    form = published_form(form_id)
    security.allow_frames(form.origins)
    rendering.speak(form.language)
    page = client.page_of(request.referrer)
    return rendering.answer(form_page(form, source="iframe", page=page))


@blueprint.route("/f/<uuid:form_id>", methods=["OPTIONS"])
@public
def preflight(form_id: UUID) -> Response:
    """Tell a browser that listed origins may post JSON (CORS, no credentials)."""
    _check_origin(published_form(form_id))
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "600"
    return response


@blueprint.post("/f/<uuid:form_id>", provide_automatic_options=False)
@public
def submit(form_id: UUID) -> Response:
    """Record a sign-up; the answer is the same for every address."""
    form = published_form(form_id)
    if request.headers.get("Origin") == "null":
        return redirect(f"/f/{form_id}", 303)  # type: ignore[return-value]
    origin = _check_origin(form)
    given = posted.read(request)
    source = _source(form, given, origin)
    rendering.speak(form.language)
    try:
        signing_up.sign_up(form, given, source=source, origin=origin)
    except InputError as error:
        if given.as_json or error.field not in ("email", "purpose"):
            raise
        return rendering.answer(form_page(form, source=source, given=given, error=error), 422)
    if given.as_json:
        return accepted(form)
    back = allowed_return(form.returns, given.get("return"))
    return rendering.answer(check_mail_page(form, back, embed=source == "iframe"))


@blueprint.after_request
def headers(response: Response) -> Response:
    """Let listed origins read the answer, and let this page's own POST name its origin."""
    # Under no-referrer a browser sends `Origin: null` with a form: our own would be unknown to us.
    # There is no token in these addresses.
    response.headers["Referrer-Policy"] = "same-origin"
    response.vary.add("Origin")
    origin = g.get("cors_origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _own_origins(form: PublishedForm) -> tuple[str, ...]:
    own = (client.origin_of(installation().settings.base_url),)
    return (*own, f"https://{form.link_host}") if form.link_host else own


def _check_origin(form: PublishedForm) -> str | None:
    """The Origin header if it may post here; ForbiddenError for one that is not on the list.

    It is evidence and good manners, not security: whoever writes their own client writes any Origin.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in _own_origins(form):
        return origin
    if origin not in form.origins:
        raise ForbiddenError("this origin is not on the form's list")
    g.cors_origin = origin
    return origin


def _source(form: PublishedForm, given: posted.Posted, origin: str | None) -> str:
    """How the form was shown: our page and our frame say so themselves, all else is `post`."""
    named = given.get("source")
    if given.as_json or named not in SOURCES or origin not in (None, *_own_origins(form)):
        return "post"
    if named == "iframe":
        security.allow_frames(form.origins)
    return named
