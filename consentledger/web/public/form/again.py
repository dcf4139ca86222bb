"""The form shown again, filled in, to whoever posted what could not be taken: what to do stands on top.

Boxes are ticked again only when this person ticked them on a page of ours: what another site's page held ticked is
not shown as this person's own choice.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Response

from consentledger.kernel.errors import ConsentLedgerError, InputError
from consentledger.organisations.facts import PublishedForm
from consentledger.web import rendering
from consentledger.web.posted import Posted
from consentledger.web.public.form.admitting import AskAgainError, FormChangedError, PayFirstError
from consentledger.web.public.form.shown import form_page
from consentledger.web.public.pages import FormPage


def page_after(
    error: ConsentLedgerError, form: PublishedForm, given: Posted, source: str
) -> Response | None:
    """The answer for a person, or None for an error that the form cannot put right."""
    if isinstance(error, FormChangedError):
        return rendering.answer(_unticked(form, given, source, "changed"), 409)
    if isinstance(error, AskAgainError):
        return rendering.answer(_unticked(form, given, source, "again"), 422)
    if source == "post":
        given = replace(given, lists={})
    if isinstance(error, PayFirstError):
        page = form_page(form, source=source, given=given, asks="waiting")
        response = rendering.answer(replace(page, token=error.token, wait=error.wait), 422)
        response.headers["Retry-After"] = str(error.wait)
        return response
    if isinstance(error, InputError) and error.field in ("email", "purpose"):
        return rendering.answer(form_page(form, source=source, given=given, error=error), 422)
    return None


def _unticked(form: PublishedForm, given: Posted, source: str, asks: str) -> FormPage:
    bare = replace(given, lists={})
    return form_page(form, source=source, given=bare, asks=asks)
