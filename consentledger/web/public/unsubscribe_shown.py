"""The pages of an unsubscribe link."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from consentledger.kernel.errors import NotFoundError
from consentledger.organisations import queries
from consentledger.stops.commands import Stopped
from consentledger.stops.commands import UnsubscribePage as Facts
from consentledger.web import cached, rendering
from consentledger.web.public import pages
from consentledger.web.public.proofs import proof
from consentledger.web.public.shown import sender_now, sender_of_organisation
from consentledger.web.services import installation
from consentledger.web.words import gettext


def page(facts: Facts, token: str) -> pages.UnsubscribePage:
    """The page with the two buttons."""
    language = rendering.speak()
    sender, title = _names(facts, language)
    return pages.UnsubscribePage(language, sender, title, facts.channel, f"/u/{token}")


def done(stopped: Stopped, token: str) -> Response:
    """The page after a press; the wider stop is offered as long as there is one."""
    language = rendering.speak()
    sender, title = _names(stopped, language)
    shown = pages.UnsubscribeDonePage(
        language=language,
        sender=sender,
        purpose_title=title,
        channel=stopped.channel,
        scope=stopped.scope,
        proof=proof(stopped.receipt, stopped.organisation_number, gettext("Your stop")),
        action=f"/u/{token}" if stopped.scope == "purpose" else None,
        as_customer=stopped.as_customer,
    )
    return rendering.answer(shown)


def _names(facts: Facts | Stopped, language: str) -> tuple[pages.SenderView, str]:
    sender = sender_or_organisation(facts.organisation_id, facts.sender_id)
    title = gettext("Messages of this sender")
    if facts.purpose_id is not None:
        title = cached.purpose(facts.organisation_id, facts.purpose_id).title(language)
    return sender, title


def sender_or_organisation(organisation_id: UUID, sender_id: UUID | None) -> pages.SenderView:
    """The sender, or where none is known any more the legal person behind it."""
    if sender_id is not None:
        try:
            return sender_now(cached.sender(organisation_id, sender_id))
        except NotFoundError:
            pass
    with installation().database.read() as session:
        return sender_of_organisation(queries.organisation(session, organisation_id))
