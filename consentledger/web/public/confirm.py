"""GET /c/<token>, POST /c/<token>, POST /c/<token>/not-me: what a person agrees to, and the act."""

from __future__ import annotations

from flask import Blueprint, Response, request

from consentledger.consents import queries, service
from consentledger.consents.commands import ConfirmConsents, ConfirmPage, NotMe
from consentledger.consents.fetching import count_fetch
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import unpack_link
from consentledger.web import rendering
from consentledger.web.access import capability, link_id
from consentledger.web.journalled import run_or_journal
from consentledger.web.public import confirm_shown as shown
from consentledger.web.public.came import came
from consentledger.web.public.pages import ExpiredPage
from consentledger.web.public.stop_kept import stop_kept
from consentledger.web.services import installation

blueprint = Blueprint("confirm", __name__)


@blueprint.get("/c/<token>")
@capability("confirm")
def show(token: str) -> Response:
    """Show what was asked, and a button; nothing is appended, whoever opens this."""
    link = link_id("confirm", token)
    try:
        page = _page(link)
    except NotFoundError:
        return _gone()
    if page.state == "open":
        count_fetch(installation().database, link)
    return shown.answer(page, token)


@blueprint.post("/c/<token>")
@capability("confirm")
def confirm(token: str) -> Response:
    """Confirm what was kept of what the page showed."""
    link = link_id("confirm", token)
    choices = shown.choices(request.form)
    try:
        if not choices.complete:
            return shown.again(_page(link), token, choices)
        command = ConfirmConsents(link, choices.shown, choices.kept, came())
        with installation().database.begin() as tx:
            done = service.confirm(tx, command)
        if done.state == "stopped":
            return shown.stopped(done, token)
        if done.repeated:
            return shown.answer(_page(link), token)
    except NotFoundError:
        return _gone()
    return shown.done(done, token, unpack_link(link)[0])


@blueprint.post("/c/<token>/not-me")
@capability("confirm")
def not_me(token: str) -> Response:
    """Decline: nothing is sent on account of this request, and none for 12 months."""
    link = link_id("confirm", token)
    command = NotMe(link, came())
    try:
        declined = run_or_journal(
            command, lambda tx: service.decline(tx, command), repeated=lambda done: done.repeated
        )
    except NotFoundError:
        return _gone()
    if declined is None:
        return stop_kept()
    return shown.declined(declined)


def _page(link: bytes) -> ConfirmPage:
    with installation().database.read() as session:
        return queries.confirm_page(session, link)


def _gone() -> Response:
    # The MAC holds, so it was our link once; 90 days after its end nothing is left of it.
    return rendering.answer(ExpiredPage(rendering.speak()), 410)
