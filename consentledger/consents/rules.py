"""Decisions about requests and confirmations: pure; `now` is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from consentledger.contacts import standing as standings
from consentledger.kernel.errors import InputError
from consentledger.organisations.facts import FormPurpose, PublishedForm

ONE_MAIL_IN = timedelta(hours=24)
# A mail that waited for its mailbox's turn is worth sending only if its link works that much longer.
WORTH_SENDING = timedelta(hours=1)
NOT_ME_WORKS = timedelta(days=90)
NOT_ME_BLOCKS = timedelta(days=365)
DECLINED_KEPT = timedelta(days=90)
CONFIRMATION = "confirmation"  # the scope of a suppression that blocks confirmation mails
OPEN = "requested"


def boxes_ticked(form: PublishedForm, ticked: Sequence[UUID]) -> tuple[FormPurpose, ...]:
    """Returns the boxes that were ticked, in the form's order; InputError names what is amiss."""
    if not ticked:
        raise InputError("purpose: tick at least one box", field="purpose", reason="missing")
    if len(set(ticked)) != len(ticked):
        raise InputError("purpose: one box stands twice", field="purpose", reason="double")
    for purpose_id in ticked:
        if form.purpose(purpose_id) is None:
            raise InputError(
                "purpose: this form has no such box", field="purpose", reason="unknown"
            )
    return tuple(box for box in form.purposes if box.purpose_id in set(ticked))


def box_states(form: PublishedForm, ticked: Iterable[UUID]) -> list[str]:
    """Returns every box with its state, `<purpose>=ticked` or `<purpose>=empty`, in the form's order."""
    chosen = set(ticked)
    return [
        f"{box.purpose_id}={'ticked' if box.purpose_id in chosen else 'empty'}"
        for box in form.purposes
    ]


def item_id(request_id: UUID, purpose_id: UUID) -> str:
    """Returns how a page names one purpose of one request."""
    return f"{request_id.hex}-{purpose_id.hex}"


def parse_item(text: str) -> tuple[UUID, UUID]:
    """Reads what `item_id` writes; anything else is an InputError (field `shown`)."""
    request, dash, purpose = text.partition("-")
    try:
        if not dash or len(request) != 32 or len(purpose) != 32:
            raise ValueError
        found = UUID(hex=request), UUID(hex=purpose)
    except ValueError:
        found = None
    if found is None or item_id(*found) != text:
        raise InputError("shown: this is no item of the page", field="shown", reason="format")
    return found


def decide(
    *,
    now: datetime,
    expires_at: datetime,
    blocked: bool,
    last_mail_at: datetime | None,
    standing: Mapping[str, Any],
    sender: UUID,
    purposes: Iterable[UUID],
    channel: str,
) -> str:
    """Returns what becomes of a request: send, suppressed, already_confirmed, capped or given_up (promise 8).

    `blocked`: `not me` within 12 months; `last_mail_at`: the latest mail to this address that is unconfirmed.
    """
    if blocked:
        return "suppressed"
    if now >= expires_at:
        return "given_up"
    states = {
        standings.consent_state(standing, sender, purpose, channel, now) for purpose in purposes
    }
    if states == {"confirmed"}:
        return "already_confirmed"
    if last_mail_at is not None and now < last_mail_at + ONE_MAIL_IN:
        return "capped"
    return "send"


def later(free_at: datetime | None, expires_at: datetime) -> datetime | None:
    """Returns until when a request waits whose mailbox has had enough mail, or None: it is `capped` now.

    `free_at` is when the mailbox may have its next mail, None when it never may for this request.
    """
    if free_at is None or free_at + WORTH_SENDING > expires_at:
        return None
    return free_at


def check_choice(shown: Sequence[str], kept: Sequence[str]) -> None:
    """Refuses a press that names nothing, an item twice, or keeps what its page did not show."""
    if not shown:
        raise InputError("shown: the page showed nothing", field="shown", reason="missing")
    if len(set(shown)) != len(shown) or len(set(kept)) != len(kept):
        raise InputError("shown: one item stands twice", field="shown", reason="double")
    if not set(kept) <= set(shown):
        raise InputError("choice: the page did not show this", field="choice", reason="not_shown")
