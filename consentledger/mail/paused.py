"""The one mail to a marketer whose form paused itself: what was seen, what still works, how to resume it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from consentledger.mail.confirmation import SenderIdentity
from consentledger.mail.message import AUTOMATIC, OutgoingMail
from consentledger.mail.render import render


@dataclass(frozen=True, slots=True)
class PausedForm:
    """What the mail says; `form` is how its owner calls it, `page` where it stands, `resume` the call of the API."""

    sender: SenderIdentity
    recipient: str = field(repr=False)
    language: str
    form: str
    page: str
    resume: str
    mailed: int
    confirmed: int
    paused_at: datetime
    message_id: str


def paused_mail(facts: PausedForm) -> OutgoingMail:
    """Returns the mail; `build` makes the bytes."""
    names = ("sender", "form", "page", "resume", "mailed", "confirmed", "paused_at")
    rendered = render("paused", facts.language, {name: getattr(facts, name) for name in names})
    return OutgoingMail(
        from_name=facts.sender.from_name,
        from_address=facts.sender.from_address,
        recipient=facts.recipient,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=facts.message_id,
        at=facts.paused_at,
        language=rendered.language,
        headers=AUTOMATIC,
    )
