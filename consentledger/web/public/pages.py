"""View models of the public pages: what each template may know, and nothing more.

A view builds one of these and hands it to `web.rendering.answer`. A template reads only the
fields named here, so that a page and its view cannot drift apart (a meta-test renders all).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentledger.web.public.page_parts import (
    ConfirmItem,
    FieldError,
    FieldView,
    Proof,
    PurposeBox,
    Scope,
    SenderChoice,
    SenderView,
    WordingView,
)
from consentledger.web.public.page_preview import FormPreviewPage
from consentledger.web.public.page_receipt import ReceiptPage
from consentledger.web.public.page_rules import CountryRulesPage, RulesPage
from consentledger.web.public.page_stop_kept import StopKeptPage
from consentledger.web.public.page_unsubscribe import UnsubscribeDonePage, UnsubscribePage

__all__ = [
    "BrokenLinkPage",
    "CheckMailPage",
    "ConfirmDonePage",
    "ConfirmItem",
    "ConfirmPage",
    "ConfirmUsedPage",
    "CountryRulesPage",
    "DeclinedPage",
    "ErrorPage",
    "ExpiredPage",
    "FieldError",
    "FieldView",
    "FormPage",
    "FormPreviewPage",
    "HomePage",
    "Page",
    "Proof",
    "PurposeBox",
    "ReceiptPage",
    "RulesPage",
    "Scope",
    "SenderChoice",
    "SenderView",
    "StopDonePage",
    "StopKeptPage",
    "StopLinkPage",
    "StopPage",
    "StopSentPage",
    "StoppedSincePage",
    "UnsubscribeDonePage",
    "UnsubscribePage",
    "WordingView",
]


@dataclass(frozen=True, slots=True)
class FormPage:
    """The hosted form, or the same form inside a frame of a listed origin.

    `asks` says why it is shown again (again, changed, waiting), `wait` how many seconds to wait before the press.
    """

    template: ClassVar[str] = "public/form.html"
    language: str
    sender: SenderView
    action: str
    version: int
    fields: tuple[FieldView, ...]
    boxes: tuple[PurposeBox, ...]
    embed: bool = False
    source: str = "hosted"
    page: str | None = None
    errors: tuple[FieldError, ...] = ()
    token: str = ""
    honeypot: str | None = None
    asks: str = ""
    wait: int = 0
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class CheckMailPage:
    """The one answer to every accepted sign-up, whoever the address belongs to."""

    template: ClassVar[str] = "public/check_mail.html"
    language: str
    sender: SenderView
    request_days: int
    return_url: str | None = None
    embed: bool = False


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """What a confirm link shows: every wording in full, one button, and `this was not me`."""

    template: ClassVar[str] = "public/confirm.html"
    language: str
    sender: SenderView
    action: str
    not_me_action: str
    items: tuple[ConfirmItem, ...]
    address_hint: str | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmDonePage:
    """After the press: what holds now, what was left out, and the proof of both."""

    template: ClassVar[str] = "public/confirm_done.html"
    language: str
    sender: SenderView
    confirmed: tuple[Proof, ...]
    dropped: tuple[Proof, ...] = ()
    stopped: tuple[str, ...] = ()
    not_me_action: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmUsedPage:
    """A confirm link opened again: nothing personal, links to the receipts, `not me` still works."""

    template: ClassVar[str] = "public/confirm_used.html"
    language: str
    sender: SenderView
    proofs: tuple[Proof, ...]
    not_me_action: str | None = None


@dataclass(frozen=True, slots=True)
class DeclinedPage:
    """After `this was not me`."""

    template: ClassVar[str] = "public/declined.html"
    language: str
    sender: SenderView | None
    block_months: int = 12
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class StoppedSincePage:
    """A confirm link pressed after a stop: what was asked before it can't be brought back by it."""

    template: ClassVar[str] = "public/stopped_since.html"
    language: str
    sender: SenderView | None = None
    form_url: str | None = None
    not_me_action: str | None = None


@dataclass(frozen=True, slots=True)
class ExpiredPage:
    """A confirm link that came too late; `not me` works on for 90 days."""

    template: ClassVar[str] = "public/expired.html"
    language: str
    sender: SenderView | None = None
    form_url: str | None = None
    not_me_action: str | None = None


@dataclass(frozen=True, slots=True)
class BrokenLinkPage:
    """A link whose MAC does not hold: 404, and the uniform way to stop by address."""

    template: ClassVar[str] = "public/broken_link.html"
    language: str
    stop_url: str = "/stop"


@dataclass(frozen=True, slots=True)
class StopPage:
    """Stop by address and chosen sender, for people whose link is broken."""

    template: ClassVar[str] = "public/stop.html"
    language: str
    senders: tuple[SenderChoice, ...]
    action: str = "/stop"
    email: str = ""
    chosen: str = ""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class StopSentPage:
    """The one answer of /stop, alike for every address."""

    template: ClassVar[str] = "public/stop_sent.html"
    language: str
    sender: SenderView
    pause_days: int = 7


@dataclass(frozen=True, slots=True)
class StopLinkPage:
    """The link mailed by /stop: a press makes the stop final."""

    template: ClassVar[str] = "public/stop_link.html"
    language: str
    sender: SenderView
    action: str


@dataclass(frozen=True, slots=True)
class StopDonePage:
    """After the press that made a stop final."""

    template: ClassVar[str] = "public/stop_done.html"
    language: str
    sender: SenderView
    proof: Proof


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Something went wrong: what happened, and what to do now, in plain words."""

    template: ClassVar[str] = "public/error.html"
    language: str
    status: int
    title: str
    what: str
    todo: str
    stop_url: str | None = None
    sender: SenderView | None = None
    embed: bool = False


@dataclass(frozen=True, slots=True)
class HomePage:
    """The service's own front door, for people who cut an address short."""

    template: ClassVar[str] = "public/home.html"
    language: str
    operator: str | None = None


Page = (
    FormPage
    | FormPreviewPage
    | CheckMailPage
    | ConfirmPage
    | ConfirmDonePage
    | ConfirmUsedPage
    | DeclinedPage
    | ExpiredPage
    | StoppedSincePage
    | UnsubscribePage
    | UnsubscribeDonePage
    | BrokenLinkPage
    | StopPage
    | StopSentPage
    | StopLinkPage
    | StopDonePage
    | StopKeptPage
    | ReceiptPage
    | ErrorPage
    | HomePage
    | RulesPage
    | CountryRulesPage
)
