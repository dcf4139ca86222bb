"""GET /u/<token>, POST /u/<token>: leave with one press, by a person or by a mail program (RFC 8058)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from consentledger.stops import queries, service
from consentledger.stops.commands import Stopped, Unsubscribe
from consentledger.web import rendering
from consentledger.web.access import capability, link_id
from consentledger.web.journalled import ACCEPTED, run_or_journal
from consentledger.web.public import unsubscribe_shown as shown
from consentledger.web.public.receipt import receipt_path
from consentledger.web.public.stop_kept import stop_kept
from consentledger.web.services import installation

blueprint = Blueprint("unsubscribe", __name__)


@blueprint.get("/u/<token>")
@capability("unsubscribe")
def show(token: str) -> Response:
    """Show a button; the page is alike whatever happened before, and opening it changes nothing."""
    link = link_id("unsubscribe", token)
    with installation().database.read() as session:
        page = queries.unsubscribe_page(session, link)
    return rendering.answer(shown.page(page, token))


@blueprint.post("/u/<token>")
@capability("unsubscribe")
def act(token: str) -> Response:
    """Unsubscribe: 200 whenever the MAC holds, repeated and erased alike, 202 while the log is frozen.

    A press on our page names what to stop (`act`). Anything else is the mail program's POST: with
    `List-Unsubscribe=One-Click`, urlencoded or multipart, or with no body at all (RFC 8058, 3.2).
    """
    link = link_id("unsubscribe", token)
    pressed = request.form.get("act")
    command = Unsubscribe(
        link,
        method="page" if pressed else "one_click",
        scope="organisation" if pressed == "organisation" else "purpose",
    )
    stopped = run_or_journal(
        command, lambda tx: service.unsubscribe(tx, command), repeated=lambda done: done.repeated
    )
    if stopped is None:
        return stop_kept() if pressed else _short_kept()
    return shown.done(stopped, token) if pressed else _short(stopped)


def _short(stopped: Stopped) -> Response:
    # A mail program shows nothing of this; whoever tests a header by hand sees what came of it.
    where = receipt_path(stopped.organisation_number, stopped.receipt.index)
    base = installation().settings.base_url
    return Response(f"Unsubscribed. Receipt: {base}{where}\n", mimetype="text/plain")


def _short_kept() -> Response:
    text = (
        "Your stop is recorded and takes effect now: nothing is sent meanwhile. No receipt yet.\n"
    )
    return Response(text, status=ACCEPTED, mimetype="text/plain")
