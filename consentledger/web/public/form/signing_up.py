"""From a posted form to the verb that records it."""

from __future__ import annotations

from flask import request

from consentledger.consents.commands import RequestConsent
from consentledger.consents.service import request as request_consent
from consentledger.organisations.facts import PublishedForm
from consentledger.web import client
from consentledger.web.posted import Posted
from consentledger.web.public.came import came
from consentledger.web.public.form import origins
from consentledger.web.public.form.admitting import admit
from consentledger.web.services import installation


def sign_up(form: PublishedForm, given: Posted, *, source: str, origin: str | None) -> None:
    """Record one post that passed every step of `admitting`; the same writes for every address."""
    admitted = admit(form, given, origins.of_page(form, origin))
    command = RequestConsent(
        form=form,
        address=admitted.address,
        ticked=admitted.ticked,
        method="form",
        source=source,
        page=_page(form, given, source),
        origin=origin,
        came=came(),
    )
    with installation().database.begin() as tx:
        request_consent(tx, command)


def _page(form: PublishedForm, given: Posted, source: str) -> str | None:
    """The page that held the form: as named by the frame, else by the browser; listed origins only."""
    if source == "hosted":
        return f"{installation().settings.base_url}/f/{form.form_id}"
    found = client.page_of(given.get("page")) or client.page_of(request.referrer)
    return found if found and client.origin_of(found) in form.origins else None
