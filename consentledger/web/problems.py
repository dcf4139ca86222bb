"""The only map from errors to HTTP: RFC 9457 problem details for software, plain pages for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from consentledger.kernel import errors
from consentledger.web import rendering
from consentledger.web.access import BrokenLinkError
from consentledger.web.problem_words import words_of
from consentledger.web.public.pages import BrokenLinkPage, ErrorPage
from consentledger.web.words import gettext

log = structlog.get_logger(__name__)

STATUS_OF: tuple[tuple[type[errors.ConsentLedgerError], int], ...] = (
    (errors.InputError, 422),
    (errors.NotFoundError, 404),
    (errors.UnauthorisedError, 401),
    (errors.ForbiddenError, 403),
    (errors.ConflictError, 409),
    (errors.LimitError, 429),
    (errors.UnavailableError, 503),
)
# What is wrong with the request's form rather than its meaning (RFC 9110, 15.5).
STATUS_OF_REASON = {
    "malformed": 400,
    "duplicate_key": 400,
    "too_large": 413,
    "content_type": 415,
}
PROBLEM_TYPE = "urn:consentledger:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as HTTP tells it; `detail` is for software only, pages have their own words."""

    status: int
    code: str
    detail: str
    field: str | None = None
    reason: str | None = None
    retry_after: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    gaps: tuple[tuple[str, str, str], ...] = ()
    work: Mapping[str, Any] | None = None


def install(app: Flask) -> None:
    """Makes every error of `app` leave through this module."""
    app.register_error_handler(errors.ConsentLedgerError, respond)
    app.register_error_handler(HTTPException, respond)
    app.register_error_handler(Exception, respond)


def respond(error: Exception) -> Response:
    """The response to an error, for software or for people, whichever asked."""
    problem = problem_of(error)
    if problem.status >= 500:
        log.error("request failed", path=request.path, code=problem.code, exc_info=error)
    if isinstance(error, BrokenLinkError) and not wants_json():
        return rendering.answer(BrokenLinkPage(rendering.speak()), 404)
    response = as_json(problem) if wants_json() else as_page(problem)
    for name, value in problem.headers:
        response.headers[name] = value
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def problem_of(error: Exception) -> Problem:
    """What HTTP says of an error; anything unforeseen is a 500 that tells nothing."""
    if isinstance(error, errors.ConsentLedgerError):
        return _known(error)
    if isinstance(error, RequestEntityTooLarge):
        return Problem(413, "too_large", "the body is over the limit", None, "too_large")
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        return _http(error)
    return Problem(500, "error", "an unforeseen error; it has been logged")


def _known(error: errors.ConsentLedgerError) -> Problem:
    status = next((code for kind, code in STATUS_OF if isinstance(error, kind)), 500)
    if status == 500:
        return Problem(500, error.code, "the service is not set up rightly; its operator must look")
    if isinstance(error, errors.InputError):
        status = STATUS_OF_REASON.get(error.reason, status)
        # An error with several gaps tells all of them at once (organisations.rules.GapsError).
        gaps = tuple((g.field, g.reason, g.message) for g in getattr(error, "gaps", ()))
        # Under pressure: the challenge whose solution must come with the post (web.public.admitting).
        work = getattr(error, "work", None)
        told = (error.code, str(error), error.field, error.reason)
        return Problem(status, *told, gaps=gaps, work=work)
    headers = (("WWW-Authenticate", "Bearer"),) if status == 401 else ()
    retry_after = getattr(error, "retry_after", None)
    return Problem(status, error.code, str(error), retry_after=retry_after, headers=headers)


def _http(error: HTTPException) -> Problem:
    assert error.code is not None  # noqa: S101 -- checked by the caller
    wanted = {"allow", "www-authenticate", "location"}
    headers = tuple((k, v) for k, v in error.get_headers() if k.lower() in wanted)
    code = HTTPStatus(error.code).phrase.lower().replace(" ", "_")
    return Problem(error.code, code, error.description or code, headers=headers)


def wants_json() -> bool:
    """Says whether software asked: the API's addresses, a JSON body, or JSON preferred to HTML."""
    if request.path.startswith("/api/") or request.mimetype == "application/json":
        return True
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]


def as_json(problem: Problem) -> Response:
    """The problem as application/problem+json (RFC 9457); `errors` names the field and the reason."""
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + (problem.reason or problem.code),
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.field is not None:
        found = problem.gaps or ((problem.field, problem.reason or "", problem.detail),)
        body["errors"] = [
            {"field": field, "reason": reason, "detail": detail} for field, reason, detail in found
        ]
    if problem.work is not None:
        body["work"] = problem.work
    content = orjson.dumps(body)
    return Response(content, status=problem.status, mimetype="application/problem+json")


def as_page(problem: Problem) -> Response:
    """The problem as a page: what happened and what to do now."""
    language = rendering.speak(g.get("language"))
    title, what, todo = (gettext(text) for text in words_of(problem.status, problem.code))
    page = ErrorPage(
        language=language,
        status=problem.status,
        title=title,
        what=what,
        todo=todo,
        stop_url=rendering.STOP_PATH if problem.status == 404 else None,
        embed=bool(g.get("embed")),
    )
    return rendering.answer(page, problem.status)
