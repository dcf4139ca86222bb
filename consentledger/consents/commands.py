"""What the consents' verbs take and give: frozen, free of HTTP and of mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from consentledger.organisations.facts import PublishedForm

Outcome = Literal["sent", "refused", "given_up", "capped", "suppressed", "already_confirmed"]
LinkState = Literal["open", "used", "expired", "declined", "stopped"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act came from, as received; the verbs keep only what the organisation's policy allows."""

    ip: str | None = field(default=None, repr=False)
    user_agent: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RequestConsent:
    """An accepted post of a form, or the same by API.

    `form` is the published version that the person saw (organisations.queries.published_form), `ticked` the
    purposes whose boxes were ticked. `method` is form or api, `source` hosted, iframe, element, post or api.
    """

    form: PublishedForm
    address: str = field(repr=False)
    ticked: tuple[UUID, ...]
    method: str = "form"
    source: str = "hosted"
    page: str | None = None
    origin: str | None = None
    came: Origin = Origin()
    actor: str = "person"
    collected_by: str | None = None
    condition: str | None = None
    age_band: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request is in the log; the same for every address. `index` is of its consent.requested."""

    request_id: UUID
    expires_at: datetime
    index: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class DecideConfirmation:
    """The worker's command: what shall become of a request (outbox kind `confirmation.decide`)."""

    organisation_id: UUID
    request_id: UUID


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One purpose of one request, as confirm page and mail show it; `form` holds wording and sender."""

    item_id: str
    request_id: UUID
    purpose_id: UUID
    wording_id: UUID
    form: PublishedForm
    page: str | None
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a confirmation mail must contain. `link_id` is the 12-byte id for Tokens.make("confirm", …)."""

    organisation_id: UUID
    contact_id: UUID
    address: str = field(repr=False)
    link_id: bytes
    form: PublishedForm
    items: tuple[AskedItem, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A rendered confirmation mail.

    `copy` are the exact bytes with the link's 16 MAC characters overwritten by `*` (kept as evidence);
    `payload` goes into the outbox row `confirmation.send`, sealed; `message_id` is stable over tries.
    """

    copy: bytes = field(repr=False)
    message_id: str
    payload: Mapping[str, Any] = field(repr=False)


Render = Callable[[MailFacts], RenderedMail]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided: send, or the outcome that `confirmation.handled` will tell a little later.

    With `later` nothing was decided yet: the mailbox has had its share of mail, and `run_at` is when to look again.
    """

    decision: Literal[
        "send", "given_up", "capped", "suppressed", "already_confirmed", "gone", "later"
    ]
    contact_id: UUID | None = None
    link_id: bytes | None = None
    run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HandleConfirmation:
    """The outcome of a confirmation mail (outbox kinds `confirmation.send` and `confirmation.settle`).

    `link_id` is the mail's own 8 bytes, or None when nothing was sent.
    """

    organisation_id: UUID
    contact_id: UUID
    request_id: UUID
    outcome: Outcome
    link_id: bytes | None = None
    smtp_code: int | None = None
    smtp_answer: str | None = field(default=None, repr=False)
    message_id: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """One appended act. `leaf` and `disclosures` come only with the press that made it, never again."""

    scope: str
    index: int
    leaf_hash: bytes
    at: datetime
    leaf: bytes | None = field(default=None, repr=False)
    disclosures: tuple[str, ...] = field(default=(), repr=False)
    title: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """What a confirm link's page may know.

    `several` says that more than one request is on the page: then no box is chosen beforehand, since a
    stranger may have joined one (docs/adr). With state used `receipts` are the acts of this link.
    """

    state: LinkState
    organisation_id: UUID
    organisation_number: int
    sender_id: UUID
    language: str
    items: tuple[AskedItem, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    can_decline: bool = True

    @property
    def several(self) -> bool:
        """Says whether the items come from more than one request."""
        return len({item.request_id for item in self.items}) > 1


@dataclass(frozen=True, slots=True)
class ConfirmConsents:
    """A person's press on the confirm page: the item ids that it showed, and those that were kept."""

    link_id: bytes
    shown: tuple[str, ...]
    kept: tuple[str, ...]
    came: Origin = Origin()
    actor: str = "person"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The result of a press. `repeated`: nothing was appended, the receipts are those of before.

    State `stopped` means that the person said stop after asking: the link can't bring it back.
    """

    state: LinkState
    organisation_id: UUID
    sender_id: UUID
    language: str
    confirmed: tuple[Receipt, ...] = ()
    dropped: tuple[Receipt, ...] = ()
    stopped: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class NotMe:
    """A person's press on `this was not me`."""

    link_id: bytes
    came: Origin = Origin()
    actor: str = "person"


@dataclass(frozen=True, slots=True)
class Declined:
    """The result of `not me`: blocked for 12 months; the same answer when repeated or after expiry."""

    organisation_id: UUID
    sender_id: UUID
    language: str
    receipts: tuple[Receipt, ...]
    repeated: bool = False


def receipt_disclosures(
    disclosures: Sequence[tuple[str, str]], names: frozenset[str] | None = None
) -> tuple[str, ...]:
    """Returns the disclosures that a receipt shows: all, or only those of `names`."""
    return tuple(text for name, text in disclosures if names is None or name in names)
