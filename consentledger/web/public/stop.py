"""GET and POST /stop, GET and POST /stop/<token>: for people whose link is broken or lost."""

from __future__ import annotations

from uuid import UUID

import structlog
from flask import Blueprint, Response, request

from consentledger.contacts import address as addresses
from consentledger.kernel.errors import InputError, LimitError, NotFoundError
from consentledger.organisations import queries
from consentledger.organisations.facts import SenderFacts
from consentledger.stops import queries as stop_queries
from consentledger.stops import service
from consentledger.stops.commands import StopByAddress, StopLink
from consentledger.web import posted, rendering
from consentledger.web.access import capability, link_id, public
from consentledger.web.journalled import run_or_journal
from consentledger.web.limits import STOP, ip_of, network_of
from consentledger.web.public import pages
from consentledger.web.public.form.field_words import sentence
from consentledger.web.public.proofs import proof
from consentledger.web.public.shown import sender_now
from consentledger.web.public.stop_kept import stop_kept
from consentledger.web.public.unsubscribe_shown import sender_or_organisation
from consentledger.web.services import installation, services
from consentledger.web.words import gettext

blueprint = Blueprint("stop", __name__)
log = structlog.get_logger(__name__)


@blueprint.get(rendering.STOP_PATH)
@public
def ask() -> Response:
    """Show the form: an address, and who writes to it."""
    return rendering.answer(_form_page())


@blueprint.post(rendering.STOP_PATH)
@public
def stop() -> Response:
    """Pause at once and have one link mailed; the same writes and answer for every address."""
    language = rendering.speak()
    given = posted.read(request)
    try:
        address = addresses.parse(given.get("email"))
        sender = _chosen(given.get("sender"))
    except InputError as error:
        return rendering.answer(_form_page(given, error), 422)
    _count(address, sender)
    command = StopByAddress(sender.organisation_id, sender.sender_id, address.text, language)
    asked = run_or_journal(
        command, lambda tx: service.stop_by_address(tx, command), repeated=lambda _: False
    )
    if asked is None:
        return stop_kept()
    return rendering.answer(pages.StopSentPage(language, sender_now(sender)))


@blueprint.get("/stop/<token>")
@capability("stop")
def show(token: str) -> Response:
    """Show the button that makes a stop final."""
    link = link_id("stop", token)
    with installation().database.read() as session:
        facts = stop_queries.stop_page(session, link)
    sender = sender_or_organisation(facts.organisation_id, facts.sender_id)
    language = rendering.speak(facts.language)
    return rendering.answer(pages.StopLinkPage(language, sender, f"/stop/{token}"))


@blueprint.post("/stop/<token>")
@capability("stop")
def final(token: str) -> Response:
    """Make the stop final, once and for all; pressed again, the same receipt."""
    link = link_id("stop", token)
    command = StopLink(link)
    stopped = run_or_journal(
        command, lambda tx: service.stop_link(tx, command), repeated=lambda done: done.repeated
    )
    if stopped is None:
        return stop_kept()
    language = rendering.speak()
    sender = sender_or_organisation(stopped.organisation_id, stopped.sender_id)
    title = gettext("Your stop")
    shown = proof(stopped.receipt, stopped.organisation_number, title)
    return rendering.answer(pages.StopDonePage(language, sender, shown))


def _form_page(
    given: posted.Posted | None = None, error: InputError | None = None
) -> pages.StopPage:
    language = rendering.speak()
    with installation().database.read() as session:
        senders = queries.all_senders(session)
    choices = [
        pages.SenderChoice(_value(item), item.identity.name, item.identity.legal_name)
        for item in senders
    ]
    return pages.StopPage(
        language=language,
        senders=tuple(sorted(choices, key=lambda choice: choice.name.casefold())),
        email=(given.get("email") or "")[:254] if given else "",
        chosen=given.get("sender") or "" if given else "",
        errors=(pages.FieldError(error.field, sentence(error)),) if error else (),
    )


def _value(sender: SenderFacts) -> str:
    return f"{sender.organisation_number}-{sender.sender_id.hex}"


def _chosen(value: str | None) -> SenderFacts:
    number, _, rest = (value or "").partition("-")
    missing = InputError("choose a sender", field="sender", reason="missing")
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and len(rest) == 32):
        raise missing
    try:
        with installation().database.read() as session:
            organisation = queries.organisation_by_number(session, int(number))
            return queries.sender(session, organisation.organisation_id, UUID(hex=rest))
    except (NotFoundError, ValueError):
        raise missing from None


def _count(address: addresses.Address, sender: SenderFacts) -> None:
    keys = {
        "ip": ip_of(request.remote_addr),
        "network": network_of(request.remote_addr),
        "address": addresses.fold_for_limits(address.text),
        "organisation": str(sender.organisation_id),
    }
    try:
        services().limiter.count("stop", keys, STOP)
    except LimitError:
        # Strangers may type in other people's addresses: somebody should look at a mass of them.
        log.warning("many stops by address", organisation=str(sender.organisation_id))
        raise
