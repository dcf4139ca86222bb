"""From a posted form to the verb that records it."""

from __future__ import annotations

from uuid import UUID

from flask import request

from consentledger.consents.commands import RequestConsent
from consentledger.consents.service import request as request_consent
from consentledger.contacts import address as addresses
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.organisations.facts import PublishedForm
from consentledger.web import client
from consentledger.web.limits import SIGN_UP, network_of
from consentledger.web.posted import Posted
from consentledger.web.public.came import came
from consentledger.web.services import installation, services


def sign_up(form: PublishedForm, given: Posted, *, source: str, origin: str | None) -> None:
    """Record one accepted post; the same reads, counts and writes for every address.

    Raises InputError naming the field, LimitError before anything is written.
    """
    address = addresses.parse(given.get("email"))
    ticked = _ticked(form, given)
    _check_version(form, given)
    keys = {
        "network": network_of(request.remote_addr),
        "address": addresses.fold_for_limits(address.text),
        "form": str(form.form_id),
        "organisation": str(form.organisation_id),
    }
    services().limiter.count("sign-up", keys, SIGN_UP)
    command = RequestConsent(
        form=form,
        address=address.text,
        ticked=ticked,
        method="form",
        source=source,
        page=_page(form, given, source),
        origin=origin,
        came=came(),
    )
    with installation().database.begin() as tx:
        request_consent(tx, command)


def _ticked(form: PublishedForm, given: Posted) -> tuple[UUID, ...]:
    boxes = {str(box.purpose_id): box.purpose_id for box in form.purposes}
    wanted = given.lists.get("purpose", ())
    for value in wanted:
        if value.lower() not in boxes:
            raise InputError("this form has no such box", field="purpose", reason="unknown")
    if not wanted:
        raise InputError("tick at least one box", field="purpose", reason="missing")
    return tuple(dict.fromkeys(boxes[value.lower()] for value in wanted))


def _check_version(form: PublishedForm, given: Posted) -> None:
    # What a person saw is evidence: a page of an older version must not stand as one of the newest.
    shown = given.get("version")
    if shown is not None and shown != str(form.version):
        raise ConflictError("this form was published anew meanwhile; load it again")


def _page(form: PublishedForm, given: Posted, source: str) -> str | None:
    """The page that held the form: as named by the frame, else by the browser; listed origins only."""
    if source == "hosted":
        return f"{installation().settings.base_url}/f/{form.form_id}"
    found = client.page_of(given.get("page")) or client.page_of(request.referrer)
    return found if found and client.origin_of(found) in form.origins else None
