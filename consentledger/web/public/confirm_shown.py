"""The pages of a confirm link: what is asked, what was chosen, what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from consentledger.consents.commands import AskedItem, Confirmed, ConfirmPage, Declined
from consentledger.organisations import queries
from consentledger.web import rendering
from consentledger.web.public import pages
from consentledger.web.public.proofs import proof
from consentledger.web.public.shown import sender_now, sender_view, wording_view
from consentledger.web.services import installation

CHOICE = "choice."
KEEP, DROP = "keep", "drop"
GONE = 410


@dataclass(frozen=True, slots=True)
class Choices:
    """What a press said: the items its page showed, those kept, and those without an answer."""

    shown: tuple[str, ...]
    kept: tuple[str, ...]
    open_items: tuple[str, ...]
    given: Mapping[str, str]


def choices(form: MultiDict[str, str]) -> Choices:
    """Read a press; an item counts as kept only if the page showed it and the person said so."""
    shown = tuple(dict.fromkeys(form.getlist("shown")))
    given = {item: form.get(CHOICE + item, "") for item in shown}
    kept = tuple(item for item, choice in given.items() if choice == KEEP)
    unsaid = tuple(item for item, choice in given.items() if choice not in (KEEP, DROP))
    return Choices(shown, kept, unsaid, given)


def answer(page: ConfirmPage, token: str) -> Response:
    """The page of a link in its present state."""
    language = rendering.speak(page.language)
    if page.state == "open":
        return rendering.answer(_open(page, token, language))
    sender, not_me = _sender(page), _not_me(page, token)
    if page.state == "used":
        proofs = tuple(_receipts(page))
        return rendering.answer(pages.ConfirmUsedPage(language, sender, proofs, not_me))
    if page.state == "declined":
        return rendering.answer(pages.DeclinedPage(language, sender))
    if page.state == "stopped":
        stopped = pages.StoppedSincePage(language, sender, None, not_me)
        return rendering.answer(stopped)
    expired = pages.ExpiredPage(language, sender, None, not_me)
    return rendering.answer(expired, GONE)


def again(page: ConfirmPage, token: str, chosen: Choices) -> Response:
    """The same page with what is missing: each purpose needs its own yes or no."""
    language = rendering.speak(page.language)
    unsaid = chosen.open_items or tuple(item.item_id for item in page.items)
    errors = tuple(
        pages.FieldError(
            CHOICE + item.item_id,
            str(gettext("Please say yes or no to: %(title)s", title=_title(item))),
        )
        for item in page.items
        if item.item_id in unsaid
    )
    return rendering.answer(_open(page, token, language, chosen.given, errors), 422)


def done(page: ConfirmPage, result: Confirmed, token: str) -> Response:
    """The page after a press, with the proof of it; repeated presses get the receipts only."""
    language = rendering.speak(result.language)
    number, sender, not_me = page.organisation_number, _sender(page), _not_me(page, token)
    if result.state == "expired":
        return rendering.answer(pages.ExpiredPage(language, sender, None, not_me), GONE)
    if result.state == "stopped":
        return rendering.answer(pages.StoppedSincePage(language, sender, _form(page), not_me))
    if result.state == "declined":
        return rendering.answer(pages.DeclinedPage(language, sender))
    act = str(gettext("Your answer"))
    confirmed = tuple(proof(receipt, number, act) for receipt in result.confirmed)
    dropped = tuple(proof(receipt, number, act) for receipt in result.dropped)
    if result.repeated:
        used = pages.ConfirmUsedPage(language, sender, confirmed + dropped, not_me)
        return rendering.answer(used)
    stopped = tuple(_title(item) for item in page.items if item.item_id in result.stopped)
    shown = pages.ConfirmDonePage(language, sender, confirmed, dropped, stopped, not_me)
    return rendering.answer(shown)


def declined(result: Declined) -> Response:
    """The page after `this was not me`, the same when pressed again."""
    language = rendering.speak(result.language)
    with installation().database.read() as session:
        sender = queries.sender(session, result.organisation_id, result.sender_id)
    number = sender.organisation_number
    proofs = tuple(
        proof(receipt, number, str(gettext("Your answer"))) for receipt in result.receipts
    )
    page = pages.DeclinedPage(language, sender_now(sender), proofs=proofs)
    return rendering.answer(page)


def _open(
    page: ConfirmPage,
    token: str,
    language: str,
    given: Mapping[str, str] | None = None,
    errors: tuple[pages.FieldError, ...] = (),
) -> pages.ConfirmPage:
    return pages.ConfirmPage(
        language=language,
        sender=_sender(page),
        action=f"/c/{token}",
        not_me_action=f"/c/{token}/not-me",
        items=tuple(_item(item, given or {}) for item in page.items),
        errors=errors,
    )


def _item(item: AskedItem, given: Mapping[str, str]) -> pages.ConfirmItem:
    box = item.form.purpose(item.purpose_id)
    assert box is not None  # noqa: S101 -- a request's boxes are its form version's
    return pages.ConfirmItem(
        item_id=item.item_id,
        wording=wording_view(box),
        asked_at=item.requested_at,
        expires_at=item.expires_at,
        asked_by=item.form.sender.legal_name,
        asked_on_page=item.page,
        choice=given.get(item.item_id),
    )


def _title(item: AskedItem) -> str:
    box = item.form.purpose(item.purpose_id)
    return box.title if box else ""


def _receipts(page: ConfirmPage) -> list[pages.Proof]:
    title = str(gettext("Your answer"))
    return [proof(receipt, page.organisation_number, title) for receipt in page.receipts]


def _sender(page: ConfirmPage) -> pages.SenderView:
    if page.items:
        form = page.items[0].form
        number, version = page.organisation_number, form.sender_version
        return sender_view(form.sender, number, form.sender_id, version)
    with installation().database.read() as session:
        return sender_now(queries.sender(session, page.organisation_id, page.sender_id))


def _form(page: ConfirmPage) -> str | None:
    return f"/f/{page.items[0].form.form_id}" if page.items else None


def _not_me(page: ConfirmPage, token: str) -> str | None:
    return f"/c/{token}/not-me" if page.can_decline else None
