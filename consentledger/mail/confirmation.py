"""The one confirmation mail (product.md, promise 8) and the mail with a stop link.

Both are free of advertising: who asks, for what, until when, the one link, and how to say "not me".
The link's MAC is starred out in what is built, committed and stored; `with_token` puts it into the
finished bytes at delivery, so that no live token ever rests in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from consentledger.kernel.errors import IntegrityError
from consentledger.kernel.tokens import TOKEN_CHARACTERS
from consentledger.mail.message import AUTOMATIC, OutgoingMail
from consentledger.mail.render import render

MAC_CHARACTERS = 16
STARS = "*" * MAC_CHARACTERS
OPTIONAL = ("contact_phone", "privacy_url")


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """Who the recipient sees (2002/58/EC art. 13(4)); postal lines are separated by LF."""

    name: str
    legal_name: str
    postal_address: str
    country: str
    contact_email: str
    contact_phone: str | None
    from_name: str
    from_address: str
    privacy_url: str | None

    @classmethod
    def of(cls, identity: Mapping[str, Any]) -> Self:
        """Reads a sender's published identity (the fields of sender.published)."""
        known = {name: identity.get(name) for name in cls.__dataclass_fields__}
        missing = [name for name, value in known.items() if not value and name not in OPTIONAL]
        if missing:
            raise IntegrityError(f"the sender's identity lacks {', '.join(missing)}")
        if not str(known["privacy_url"] or "").startswith(("https://", "http://")):
            known["privacy_url"] = None  # nothing else may become a link in a mail
        return cls(**known)  # type: ignore[arg-type]  # what is required was just seen


@dataclass(frozen=True, slots=True)
class Asked:
    """One purpose that was asked for, with its title in the mail's language."""

    title: str
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation mail says; `token` has its MAC starred out (see `star`)."""

    sender: SenderIdentity
    recipient: str = field(repr=False)
    language: str
    asked: tuple[Asked, ...]
    base_url: str
    token: str = field(repr=False)
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StopLink:
    """What the mail behind POST /stop says: the one link whose press makes the stop final."""

    sender: SenderIdentity
    recipient: str = field(repr=False)
    language: str
    paused_until: datetime
    base_url: str
    token: str = field(repr=False)
    message_id: str
    at: datetime


def star(token: str) -> str:
    """Returns a token with the 16 characters of its MAC overwritten by `*`."""
    if len(token) != TOKEN_CHARACTERS or token[16] != ".":
        raise ValueError("not a token")
    return token[:-MAC_CHARACTERS] + STARS


def with_token(data: bytes, token: str) -> bytes:
    """Returns a finished message with the live token where its starred form stands.

    Raises IntegrityError when the message carries no starred link or one of another id: such a mail
    must not leave, because its link could not work.
    """
    starred = star(token).encode()
    if starred not in data or data.count(STARS.encode()) != data.count(starred):
        raise IntegrityError("the kept mail does not carry this link")
    return data.replace(starred, token.encode())


def confirmation_mail(facts: Confirmation) -> OutgoingMail:
    """Returns the confirmation mail, its link starred out; `build` makes the bytes."""
    link = f"{facts.base_url}/c/{facts.token}"
    values = {
        "sender": facts.sender,
        "asked": facts.asked,
        "asked_at": max(asked.asked_at for asked in facts.asked),
        "expires_at": min(asked.expires_at for asked in facts.asked),
        "link": link,
        "not_me_link": f"{link}#not-me",
    }
    return _outgoing("confirmation", facts, values)


def stop_mail(facts: StopLink) -> OutgoingMail:
    """Returns the mail with the stop link, starred out; `build` makes the bytes."""
    values = {
        "sender": facts.sender,
        "paused_until": facts.paused_until,
        "link": f"{facts.base_url}/stop/{facts.token}",
    }
    return _outgoing("stop", facts, values)


def _outgoing(name: str, facts: Confirmation | StopLink, values: Mapping[str, Any]) -> OutgoingMail:
    rendered = render(name, facts.language, values)
    return OutgoingMail(
        from_name=facts.sender.from_name,
        from_address=facts.sender.from_address,
        recipient=facts.recipient,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=facts.message_id,
        at=facts.at,
        language=rendered.language,
        reply_to=facts.sender.contact_email,
        headers=AUTOMATIC,
        keep=(facts.token,),
    )
