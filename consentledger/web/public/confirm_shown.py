"""The pages of a confirm link: what is asked, what was chosen, what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response
from werkzeug.datastructures import MultiDict

from consentledger.consents.commands import AskedItem, Confirmed, ConfirmPage, Declined
from consentledger.consents.rules import parse_item
from consentledger.web import cached, rendering
from consentledger.web.public import pages
from consentledger.web.public.proofs import proof
from consentledger.web.public.shown import sender_now, sender_view, wording_view
from consentledger.web.words import gettext

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

    @property
    def complete(self) -> bool:
        """Says whether the page showed something and each of it was answered."""
        return bool(self.shown) and not self.open_items


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
    expired = pages.ExpiredPage(language, sender, None, not_me)
    return rendering.answer(expired, GONE)


def again(page: ConfirmPage, token: str, chosen: Choices) -> Response:
    """The same page with what is missing: each purpose needs its own yes or no."""
    if page.state != "open":
        return answer(page, token)
    language = rendering.speak(page.language)
    unsaid = chosen.open_items or tuple(item.item_id for item in page.items)
    errors = tuple(
        pages.FieldError(
            CHOICE + item.item_id,
            gettext("Please say yes or no to: %(title)s", title=_title(item)),
        )
        for item in page.items
        if item.item_id in unsaid
    )
    return rendering.answer(_open(page, token, language, chosen.given, errors), 422)


def done(result: Confirmed, token: str, number: int) -> Response:
    """The page after a press, with the proof of it, shown this once."""
    language = rendering.speak(result.language)
    act = gettext("Your answer")
    page = pages.ConfirmDonePage(
        language=language,
        sender=sender_now(cached.sender(result.organisation_id, result.sender_id)),
        confirmed=tuple(proof(receipt, number, act) for receipt in result.confirmed),
        dropped=tuple(proof(receipt, number, act) for receipt in result.dropped),
        stopped=tuple(_stopped(result, item, language) for item in result.stopped),
        not_me_action=f"/c/{token}/not-me",
    )
    return rendering.answer(page)


def stopped(result: Confirmed, token: str) -> Response:
    """The page of a press after a stop: nothing that was asked before it comes back by this link."""
    language = rendering.speak(result.language)
    sender = sender_now(cached.sender(result.organisation_id, result.sender_id))
    page = pages.StoppedSincePage(language, sender, None, f"/c/{token}/not-me")
    return rendering.answer(page)


def declined(result: Declined) -> Response:
    """The page after `this was not me`, the same when pressed again."""
    language = rendering.speak(result.language)
    sender = cached.sender(result.organisation_id, result.sender_id)
    title = gettext("Your answer")
    proofs = tuple(proof(one, sender.organisation_number, title) for one in result.receipts)
    return rendering.answer(pages.DeclinedPage(language, sender_now(sender), proofs=proofs))


def _stopped(result: Confirmed, item: str, language: str) -> str:
    _, purpose_id = parse_item(item)
    return cached.purpose(result.organisation_id, purpose_id).title(language)


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
    title = gettext("Your answer")
    return [proof(receipt, page.organisation_number, title) for receipt in page.receipts]


def _sender(page: ConfirmPage) -> pages.SenderView:
    if page.items:
        form = page.items[0].form
        number, version = page.organisation_number, form.sender_version
        return sender_view(form.sender, number, form.sender_id, version)
    return sender_now(cached.sender(page.organisation_id, page.sender_id))


def _not_me(page: ConfirmPage, token: str) -> str | None:
    return f"/c/{token}/not-me" if page.can_decline else None
