"""What the stops' verbs take and give: frozen, free of HTTP and of mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from consentledger.consents.commands import Receipt

Scope = Literal["purpose", "sender", "organisation"]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """A press on a permit's unsubscribe link; `link_id` has 12 bytes: number, batch, row.

    `method` is one_click (RFC 8058) or page; `scope` purpose, or organisation for everything of it.
    """

    link_id: bytes
    method: Literal["one_click", "page"]
    scope: Scope = "purpose"
    actor: str = "person"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stop is in the log. `receipt` shows leaf and disclosures only to the press that made it.

    `sender_id` and `purpose_id` are None when the batch is not known here any more. `as_customer`: the message came
    on the existing-customer exception, so that this objects to all such marketing on the channel.
    """

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID | None
    purpose_id: UUID | None
    channel: str
    scope: Scope
    receipt: Receipt
    repeated: bool = False
    as_customer: bool = False


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What an unsubscribe link's page may know: alike whatever happened before."""

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID | None
    purpose_id: UUID | None
    channel: str


@dataclass(frozen=True, slots=True)
class StopByAddress:
    """A stop typed in on /stop: pauses for 7 days, the mailed link makes it final."""

    organisation_id: UUID
    sender_id: UUID
    address: str = field(repr=False)
    language: str
    channel: str = "email"
    actor: str = "person"


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The pause is in the log; the same for every address."""

    link_id: bytes
    until_at: datetime
    index: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class StopMail:
    """What the one mail of /stop must contain; `link_id` is the 12-byte id for Tokens.make("stop", …)."""

    organisation_id: UUID
    contact_id: UUID
    sender_id: UUID
    address: str = field(repr=False)
    language: str
    link_id: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class StopLink:
    """A press on the link that /stop mailed; `link_id` has 12 bytes."""

    link_id: bytes
    actor: str = "person"


@dataclass(frozen=True, slots=True)
class StopPage:
    """What a stop link's page may know."""

    organisation_id: UUID
    organisation_number: int
    sender_id: UUID | None
    language: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A withdrawal that the organisation records on a person's behalf, by API.

    Without `purpose_id` it covers the sender, without `sender_id` the whole organisation.
    """

    organisation_id: UUID
    address: str = field(repr=False)
    actor: str
    sender_id: UUID | None = None
    purpose_id: UUID | None = None
    channel: str = "email"
