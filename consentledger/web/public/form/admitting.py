"""What a post must pass before anything is recorded, step by step in this order.

1. It was made for the version that is served now             FormChangedError, 409
2. It carries a fresh token of this form, for this page       AskAgainError, 422
3. No robot's mark: hidden field empty, not faster than eyes  AskAgainError, 422
4. Address and boxes are right, the organisation takes such   InputError naming the field, 422
5. Nobody asks too often                                      LimitError, 429
6. Under pressure it is paid for, by work or by waiting       PayFirstError, 422

No step looks anything up about the address, so none can tell who is known. What does not pass is not recorded and
never answered with a 2xx: people get the form again, filled in, for one more press.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import request

from consentledger.consents.flagging import flags_of
from consentledger.contacts import address as addresses
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.limits.form_tokens import FIRST, WAITING, FormToken
from consentledger.limits.rules import waiting_seconds
from consentledger.limits.service import Post
from consentledger.organisations.facts import PublishedForm
from consentledger.web.posted import Posted
from consentledger.web.public.form.served import HONEYPOT, TOO_FAST_SECONDS, hash_of
from consentledger.web.services import services

TOO_FAST = timedelta(seconds=TOO_FAST_SECONDS)


class FormChangedError(ConflictError):
    """Another version of the form is served now: what this person saw is not what they would agree to."""

    code = "form_changed"


class AskAgainError(InputError):
    """The post may well be a person's: the form is shown again, for one more press."""


class PayFirstError(InputError):
    """So many posts come that each is paid for: `work` is the challenge, or `wait` seconds and press again.

    `token` is the one to press with: its clock started when the person first got the page.
    """

    def __init__(self, work: dict[str, Any], wait: int, token: str) -> None:
        said = "solve the challenge, or wait and post again"
        super().__init__(said, field="work", reason="required")
        self.work = work
        self.wait = wait
        self.token = token


@dataclass(frozen=True, slots=True)
class Admitted:
    """A post that passed: a parsed address, and the boxes that were ticked."""

    address: str = field(repr=False)
    ticked: tuple[UUID, ...]


def admit(form: PublishedForm, given: Posted, page_origin: str | None) -> Admitted:
    """Returns what was filled in, once all steps are passed; the errors stand above.

    `page_origin` is of the page that posted, None for our own (web.public.form.origins.of_page).
    """
    at = now()
    token = services().form_tokens.read(given.get("token"))
    _served(form, given, token)
    token = _for_this_page(form, given, token, page_origin, at)
    _not_a_robots(given, token, at)
    address = addresses.parse(given.get("email"))
    flags_of(address, form.address_policy)
    ticked = _ticked(form, given)
    folded = addresses.fold_for_limits(address.text)
    post = Post(request.remote_addr, folded, form.form_id, form.organisation_id, token)
    counted = services().limiter.count_post(post)
    if counted.token_spent:
        raise ask_again("token", "stale")
    if counted.level:
        _paid(given, post, token, counted.level, at)
    return Admitted(address.text, ticked)


def _served(form: PublishedForm, given: Posted, token: FormToken | None) -> None:
    # What a person saw is evidence: a page of an older version must not stand as one of the newest.
    version, shown = given.get("version"), given.get("hash")
    if token is not None and token.form_id == form.form_id and version is None:
        version = str(token.version)
    if version not in (None, str(form.version)) or shown not in (None, hash_of(form)):
        raise FormChangedError("this form was published anew meanwhile; load it again")


def _for_this_page(
    form: PublishedForm,
    given: Posted,
    token: FormToken | None,
    page_origin: str | None,
    at: datetime,
) -> FormToken:
    if given.get("token") is None:
        raise ask_again("token", "missing")
    found = token if token is not None and token.fresh(at) else None
    if found is None or not found.is_for(form.form_id, form.version, page_origin):
        raise ask_again("token", "stale")
    return found


def _not_a_robots(given: Posted, token: FormToken, at: datetime) -> None:
    if given.get(HONEYPOT) is not None:
        raise ask_again(HONEYPOT, "filled")
    # A token knows whole seconds, rounded down: nobody who waited long enough is told to wait.
    if token.step == FIRST and at - token.issued_at < TOO_FAST:
        raise ask_again("token", "too_fast")


def ask_again(name: str, reason: str) -> AskAgainError:
    """What asks for one more press because of a field; software reads the reason."""
    return AskAgainError("load the form anew and post it once more", field=name, reason=reason)


def _ticked(form: PublishedForm, given: Posted) -> tuple[UUID, ...]:
    boxes = {str(box.purpose_id): box.purpose_id for box in form.purposes}
    wanted = given.lists.get("purpose", ())
    for value in wanted:
        if value.lower() not in boxes:
            raise InputError("this form has no such box", field="purpose", reason="unknown")
    if not wanted:
        raise InputError("tick at least one box", field="purpose", reason="missing")
    return tuple(dict.fromkeys(boxes[value.lower()] for value in wanted))


def _paid(given: Posted, post: Post, token: FormToken, level: int, at: datetime) -> None:
    """Step 6: a device's sum, or a person's patience, which needs no script, no eyes and no ears."""
    limiter, text = services().limiter, given.get("token") or ""
    if services().work.level(given.get("work"), text) >= level:
        if not limiter.take_work(post):
            raise ask_again("token", "stale")
        return
    # Who took their time over a page of ours has waited already; other pages' scripts can compute.
    ours = token.is_for(token.form_id, token.version, None)
    started = token.issued_at if ours else at
    left = waiting_seconds(level) - int((at - started).total_seconds())
    if left <= 0:
        left = limiter.take_turn(post)
    if left > 0:
        work = {"level": level, "challenge": services().work.challenge(text, level, at)}
        # The same clock under another number: pressing too early costs nobody their place.
        waiting = services().form_tokens.make(
            token.form_id, token.version, now=started, step=WAITING
        )
        raise PayFirstError(work, left, waiting)
