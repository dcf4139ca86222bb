"""Which pages may post a form, and which may read the answer (CORS without credentials).

An Origin header is evidence and good manners, not security: whoever writes their own client writes any Origin.
"""

from __future__ import annotations

from flask import Response, g, request

from consentledger.kernel.errors import ForbiddenError
from consentledger.organisations.facts import PublishedForm
from consentledger.web import client, problems, security
from consentledger.web.posted import Posted
from consentledger.web.services import installation

OUR_SOURCES = ("hosted", "iframe")
NULL = "null"


def own_origins(form: PublishedForm) -> tuple[str, ...]:
    """The origins of our own pages of a form: ours, and the sender's own host for links."""
    own = (client.origin_of(installation().settings.base_url),)
    return (*own, f"https://{form.link_host}") if form.link_host else own


def check(form: PublishedForm) -> str | None:
    """The Origin header if it may post here; ForbiddenError for one that is not on the form's list."""
    origin = request.headers.get("Origin")
    g.cors_origin = None
    if origin is None or origin in own_origins(form):
        return origin
    if origin not in form.origins:
        raise ForbiddenError("this origin is not on the form's list")
    g.cors_origin = origin
    return origin


def nameless() -> bool:
    """Tells whether a page posted as `Origin: null`, as browsers do under no-referrer and in a sandbox.

    That may be any page, a listed one too: the person gets our own page, filled in, for one more press.
    """
    return request.headers.get("Origin") == NULL and not problems.wants_json()


def of_page(form: PublishedForm, origin: str | None) -> str | None:
    """The origin that a form's token is bound to: the page's, or None for pages of our own."""
    return None if origin in own_origins(form) else origin


def source(form: PublishedForm, given: Posted, origin: str | None) -> str:
    """How the form was shown: our pages say so themselves, our element says so in JSON, all else is `post`."""
    named = given.get("source")
    if given.as_json:
        return "element" if named == "element" else "post"
    if named not in OUR_SOURCES or of_page(form, origin) is not None:
        return "post"
    if named == "iframe":
        security.allow_frames(form.origins)
    return named


def let_anybody_read() -> None:
    """Before the form is known: a refusal that tells nobody anything may be read by every page.

    A script that is told only "network error" cannot tell a person that a form is closed, or when to try again.
    """
    g.cors_origin = "*"


def headers(response: Response) -> Response:
    """Lets listed origins read the answer, and our own page's POST name its origin."""
    # Under no-referrer a browser sends `Origin: null` with a form: our own would be unknown to us.
    # There is no token in these addresses.
    response.headers["Referrer-Policy"] = "same-origin"
    response.vary.add("Origin")
    readable = g.get("cors_origin")
    if readable:
        response.headers["Access-Control-Allow-Origin"] = readable
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response
