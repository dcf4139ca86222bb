"""The pages of a form: as published, with what was filled in, and the answer to an accepted post."""

from __future__ import annotations

import orjson
from flask import Response, g

from consentledger.kernel.clock import now
from consentledger.kernel.errors import InputError
from consentledger.limits.form_tokens import AGAIN, FIRST
from consentledger.organisations.addresses import allowed_return
from consentledger.organisations.facts import PublishedForm
from consentledger.web.posted import Posted
from consentledger.web.public.form import served
from consentledger.web.public.form.field_words import sentence
from consentledger.web.public.pages import (
    CheckMailPage,
    FieldError,
    FieldView,
    FormPage,
    PurposeBox,
    SenderView,
)
from consentledger.web.public.shown import sender_view, wording_view
from consentledger.web.services import services


def form_page(
    form: PublishedForm,
    *,
    source: str,
    page: str | None = None,
    given: Posted | None = None,
    error: InputError | None = None,
    asks: str = "",
) -> FormPage:
    """The form; after a post with what this person filled in and ticked, never ticked by us.

    `asks` says why it is shown again: again, changed or waiting.
    """
    ticked = given.lists.get("purpose", ()) if given else ()
    values = given.values if given else {}
    step = FIRST if given is None else AGAIN
    return FormPage(
        language=g.language,
        sender=_sender(form),
        action=f"/f/{form.form_id}",
        version=form.version,
        fields=tuple(
            FieldView(item.name, item.required, values.get(item.name, "")[:254])
            for item in form.fields
        ),
        boxes=tuple(
            PurposeBox(str(box.purpose_id), wording_view(box), str(box.purpose_id) in ticked)
            for box in form.purposes
        ),
        embed=source == "iframe",
        source="iframe" if source == "iframe" else "hosted",
        page=page or (given.get("page") if given else None),
        errors=(FieldError(error.field, sentence(error)),) if error else (),
        token=services().form_tokens.make(form.form_id, form.version, now=now(), step=step),
        honeypot=served.HONEYPOT if step == FIRST else None,
        asks=asks,
        return_url=allowed_return(form.returns, given.get("return")) if given else None,
    )


def check_mail_page(form: PublishedForm, back: str | None, *, embed: bool) -> CheckMailPage:
    """The one answer of a sign-up."""
    return CheckMailPage(
        language=g.language,
        sender=_sender(form),
        request_days=form.request_days,
        return_url=back,
        embed=embed,
    )


def accepted(form: PublishedForm) -> Response:
    """The same answer for scripts: 202, because nothing is agreed before the press in the mail."""
    body = {"status": "check_mail", "expires_in_days": form.request_days}
    return Response(orjson.dumps(body), status=202, mimetype="application/json")


def _sender(form: PublishedForm) -> SenderView:
    return sender_view(form.sender, form.organisation_number, form.sender_id, form.sender_version)
