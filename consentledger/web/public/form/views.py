"""GET /f/<form>, its frame and its JSON, POST /f/<form>: the sign-up form and its submission."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError, LimitError, NotFoundError, PausedError
from consentledger.organisations import queries
from consentledger.organisations.addresses import allowed_return
from consentledger.organisations.facts import PublishedForm
from consentledger.web import client, posted, problems, rendering, security
from consentledger.web.access import public
from consentledger.web.cached import kept_form, published_form, translated_form
from consentledger.web.public.form import again, origins, served, signing_up
from consentledger.web.public.form.admitting import FormChangedError, ask_again
from consentledger.web.public.form.shown import accepted, check_mail_page, form_page
from consentledger.web.services import installation, services

blueprint = Blueprint("forms", __name__)
blueprint.after_request(origins.headers)


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
    form = _served(form_id, framed=True)
    security.allow_frames(form.origins)
    rendering.speak(form.language)
    page = client.page_of(request.referrer)
    return rendering.answer(form_page(form, source="iframe", page=page))


@blueprint.get("/f/<uuid:form_id>/form.json", provide_automatic_options=False)
@public
def as_json(form_id: UUID) -> Response:
    """Give the form to a script of a listed origin, with a token for that origin's posts."""
    origins.let_anybody_read()
    form = published_form(form_id)
    page, at = origins.of_page(form, origins.check(form)), now()
    if wanted := request.args.get("lang"):
        form = translated_form(form, wanted)
    rendering.speak(form.language)
    token = services().form_tokens.make(form.form_id, form.version, now=at, origin=page)
    level = services().limiter.level(form.form_id, form.organisation_id)
    work = (
        {"level": level, "challenge": services().work.challenge(token, level, at)}
        if level
        else None
    )
    return served.answer(form, token, work)


@blueprint.route("/f/<uuid:form_id>", methods=["OPTIONS"])
@blueprint.route("/f/<uuid:form_id>/form.json", methods=["OPTIONS"], endpoint="preflight_json")
@public
def preflight(form_id: UUID) -> Response:
    """Tell a browser that listed origins may read the form and post JSON (CORS, no credentials)."""
    try:
        origins.check(published_form(form_id))
    except (NotFoundError, PausedError):
        # The request itself is refused for the same reason, in an answer that its page may read.
        origins.let_anybody_read()
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "600"
    return response


@blueprint.post("/f/<uuid:form_id>", provide_automatic_options=False)
@public
def submit(form_id: UUID) -> Response:
    """Record a sign-up; the answer is the same for every address."""
    origins.let_anybody_read()
    framed = request.headers.get("Sec-Fetch-Dest") == "iframe"
    _not_over_limits(form_id, framed=framed)
    form = _served(form_id, framed=framed)
    nameless = origins.nameless()
    origin = None if nameless else origins.check(form)
    given = posted.read(request)
    source = "post" if nameless else origins.source(form, given, origin)
    rendering.speak(form.language)
    try:
        if nameless:
            raise ask_again("Origin", "null")
        signing_up.sign_up(form, given, source=source, origin=origin)
    except (InputError, FormChangedError) as error:
        page = None if problems.wants_json() else again.page_after(error, form, given, source)
        if page is None:
            raise
        return page
    if problems.wants_json():
        return accepted(form)
    back = allowed_return(form.returns, given.get("return"))
    return rendering.answer(check_mail_page(form, back, embed=source == "iframe"))


def _not_over_limits(form_id: UUID, *, framed: bool) -> None:
    """Before anything is read: who is over a limit for sure is told so without a look at the database."""
    try:
        services().limiter.refuse(request.remote_addr)
    except LimitError:
        form = kept_form(form_id)
        if form is not None and framed:
            security.allow_frames(form.origins)
        raise


def _served(form_id: UUID, *, framed: bool) -> PublishedForm:
    """The form; when it is paused, a frame may show the page that says so."""
    try:
        return published_form(form_id)
    except PausedError:
        if framed:
            with installation().database.read() as session:
                security.allow_frames(queries.framing_origins(session, form_id))
        raise
