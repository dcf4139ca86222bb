"""The view models of unsubscribe links: before the press, and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentledger.web.public.page_parts import Proof, Scope, SenderView


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What an unsubscribe link shows on GET: alike whatever happened before."""

    template: ClassVar[str] = "public/unsubscribe.html"
    language: str
    sender: SenderView
    purpose_title: str
    channel: str
    action: str


@dataclass(frozen=True, slots=True)
class UnsubscribeDonePage:
    """After an unsubscribe press; `action` offers the wider stop while there is one.

    `as_customer`: the message came without consent, to a customer, and the press objects to all such messages.
    """

    template: ClassVar[str] = "public/unsubscribe_done.html"
    language: str
    sender: SenderView
    purpose_title: str
    channel: str
    scope: Scope
    proof: Proof
    action: str | None = None
    as_customer: bool = False
