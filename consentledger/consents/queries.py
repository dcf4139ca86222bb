"""Reads of requests, mails and consents; no ORM objects leave this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from consentledger.consents import rules
from consentledger.consents.commands import AskedItem, ConfirmPage, Receipt
from consentledger.consents.models import ConfirmationMail, Consent, ConsentRequest
from consentledger.contacts.models import LinkUse
from consentledger.db.models import LogLeaf
from consentledger.kernel.clock import now
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.tokens import unpack_link
from consentledger.organisations.facts import PublishedForm
from consentledger.organisations.models import Organisation
from consentledger.organisations.queries import form_version

Reader = Session | Connection  # columns only: either of them can read


@dataclass(frozen=True, slots=True)
class Mail:
    """A confirmation mail's row with the organisation's number and policy."""

    organisation_id: UUID
    organisation_number: int
    ip_policy: str
    link_id: bytes
    contact_id: UUID | None
    sender_id: UUID
    language: str
    state: str
    made_at: datetime
    sent_at: datetime | None
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request's row; `purposes` holds purpose, wording and state of each of its boxes."""

    request_id: UUID
    contact_id: UUID
    state: str
    sender_id: UUID
    channel: str
    language: str
    form_id: UUID
    form_version: int
    purposes: Sequence[Mapping[str, Any]]
    page: str | None
    link_id: bytes | None
    requested_at: datetime
    expires_at: datetime
    entry_numbers: Sequence[int]
    flags: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """A consent's row, for people who may see it."""

    consent_id: UUID
    sender_id: UUID
    purpose_id: UUID
    channel: str
    state: str
    confirmed_at: datetime | None
    changed_at: datetime


MAIL = (
    ConfirmationMail.organisation_id,
    Organisation.number,
    Organisation.ip_policy,
    ConfirmationMail.link_id,
    ConfirmationMail.contact_id,
    ConfirmationMail.sender_id,
    ConfirmationMail.language,
    ConfirmationMail.state,
    ConfirmationMail.made_at,
    ConfirmationMail.sent_at,
    ConfirmationMail.closes_at,
)
# The organisation's id comes first, so that every engine finds the mail by its primary key.
OWNER = select(Organisation.organisation_id).where(Organisation.number == bindparam("number"))
MAIL_OF_LINK = (
    select(*MAIL)
    .join(Organisation, Organisation.organisation_id == ConfirmationMail.organisation_id)
    .where(
        ConfirmationMail.organisation_id == OWNER.scalar_subquery(),
        ConfirmationMail.link_id == bindparam("link"),
    )
)


def mail_by_link(reader: Reader, link_id: bytes) -> Mail:
    """Reads the mail of a confirm link's 12-byte id; NotFoundError when there is none any more."""
    number, own = unpack_link(link_id)
    row = reader.execute(MAIL_OF_LINK, {"number": number, "link": own}).one_or_none()
    if row is None:
        raise NotFoundError("this link is not known any more")
    return Mail(*tuple(row))


_REQUEST = select(
    ConsentRequest.request_id,
    ConsentRequest.contact_id,
    ConsentRequest.state,
    ConsentRequest.sender_id,
    ConsentRequest.channel,
    ConsentRequest.language,
    ConsentRequest.form_id,
    ConsentRequest.form_version,
    ConsentRequest.purposes,
    ConsentRequest.page,
    ConsentRequest.link_id,
    ConsentRequest.requested_at,
    ConsentRequest.expires_at,
    ConsentRequest.entry_numbers,
    ConsentRequest.flags,
)


def request_by_id(session: Session, organisation_id: UUID, request_id: UUID) -> Request | None:
    """Reads one request, or None when it is gone."""
    row = session.execute(
        _REQUEST.where(
            ConsentRequest.organisation_id == organisation_id,
            ConsentRequest.request_id == request_id,
        )
    ).one_or_none()
    return Request(*tuple(row)) if row else None


_OF_LINK = _REQUEST.where(
    ConsentRequest.organisation_id == bindparam("organisation"),
    ConsentRequest.link_id == bindparam("link"),
).order_by(ConsentRequest.requested_at, ConsentRequest.request_id)


def requests_of_link(reader: Reader, organisation_id: UUID, link_id: bytes) -> list[Request]:
    """Reads all requests that a confirm link asks about, oldest first."""
    rows = reader.execute(_OF_LINK, {"organisation": organisation_id, "link": link_id})
    return [Request(*row) for row in rows]


def requests_of_contact(session: Session, organisation_id: UUID, contact_id: UUID) -> list[Request]:
    """Reads all requests of a contact, oldest first."""
    rows = session.execute(
        _REQUEST.where(
            ConsentRequest.organisation_id == organisation_id,
            ConsentRequest.contact_id == contact_id,
        ).order_by(ConsentRequest.requested_at, ConsentRequest.request_id)
    )
    return [Request(*row) for row in rows]


FormOf = Callable[[UUID, UUID, int], PublishedForm]


def open_items(
    form_of: FormOf, organisation_id: UUID, requests: Sequence[Request], at: datetime
) -> list[AskedItem]:
    """Returns every purpose that is still asked, with the form's version that the person saw."""
    forms: dict[tuple[UUID, int], PublishedForm] = {}
    items = []
    for request in requests:
        if request.state != rules.OPEN or at >= request.expires_at:
            continue
        key = (request.form_id, request.form_version)
        if key not in forms:
            forms[key] = form_of(organisation_id, *key)
        items += _items(request, forms[key])
    return items


def _items(request: Request, form: PublishedForm) -> list[AskedItem]:
    return [
        AskedItem(
            item_id=rules.item_id(request.request_id, UUID(box["purpose"])),
            request_id=request.request_id,
            purpose_id=UUID(box["purpose"]),
            wording_id=UUID(box["wording"]),
            form=form,
            page=request.page,
            requested_at=request.requested_at,
            expires_at=request.expires_at,
        )
        for box in request.purposes
        if box["state"] == rules.OPEN
    ]


def confirm_page(session: Session, link_id: bytes) -> ConfirmPage:
    """Reads what a confirm link shows; NotFoundError when the link is not known any more. Writes nothing."""
    mail, at = mail_by_link(session, link_id), now()
    receipts = receipts_of(session, mail.organisation_id, "confirm", mail.link_id)
    items: list[AskedItem] = []
    if mail.contact_id is not None and mail.state != "declined":
        requests = requests_of_link(session, mail.organisation_id, mail.link_id)
        form_of = partial(form_version, session)
        items = open_items(form_of, mail.organisation_id, requests, at)
    if mail.state == "declined":
        state, receipts = "declined", []
    else:
        state = "open" if items else "used" if receipts else "expired"
    return ConfirmPage(
        state=state,  # type: ignore[arg-type]
        organisation_id=mail.organisation_id,
        organisation_number=mail.organisation_number,
        sender_id=mail.sender_id,
        language=mail.language,
        items=tuple(items),
        receipts=tuple(receipts),
        can_decline=at < mail.closes_at,
    )


_RECEIPTS = (
    select(LinkUse.scope, LinkUse.entry_index, LogLeaf.leaf_hash, LinkUse.used_at)
    .join(
        LogLeaf,
        (LogLeaf.organisation_id == LinkUse.organisation_id)
        & (LogLeaf.entry_index == LinkUse.entry_index),
    )
    .where(
        LinkUse.organisation_id == bindparam("organisation"),
        LinkUse.capability == bindparam("capability"),
        LinkUse.link_id == bindparam("link"),
    )
    .order_by(LinkUse.entry_index)
)


def receipts_of(
    reader: Reader, organisation_id: UUID, capability: str, link_id: bytes
) -> list[Receipt]:
    """Reads the receipts of a link's acts: index and leaf hash only, never what the entry says."""
    wanted = {"organisation": organisation_id, "capability": capability, "link": link_id}
    rows = reader.execute(_RECEIPTS, wanted)
    return [Receipt(*row) for row in rows]


def consents_of(session: Session, organisation_id: UUID, contact_id: UUID) -> list[ConsentFacts]:
    """Reads a contact's consents, by sender, purpose and channel."""
    rows = session.execute(
        select(
            Consent.consent_id,
            Consent.sender_id,
            Consent.purpose_id,
            Consent.channel,
            Consent.state,
            Consent.confirmed_at,
            Consent.changed_at,
        )
        .where(Consent.organisation_id == organisation_id, Consent.contact_id == contact_id)
        .order_by(Consent.sender_id, Consent.purpose_id, Consent.channel)
    )
    return [ConsentFacts(*row) for row in rows]
