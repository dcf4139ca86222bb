"""Reads of what a marketer publishes: one statement each, frozen results."""

from __future__ import annotations

import json
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.keystore.store import KeyStore
from consentledger.kernel.errors import NotFoundError
from consentledger.organisations import facts
from consentledger.organisations.form_queries import (
    form,
    form_stamp,
    form_version,
    forms,
    framing_origins,
    published_form,
)
from consentledger.organisations.models import Organisation, Purpose, Sender, Wording
from consentledger.organisations.translation_queries import translation_for, translations_stamp

__all__ = [
    "all_senders",
    "form",
    "form_stamp",
    "form_version",
    "forms",
    "framing_origins",
    "organisation",
    "organisation_by_name",
    "organisation_by_number",
    "organisations",
    "published_form",
    "purpose",
    "purposes",
    "sender",
    "sender_transport",
    "senders",
    "translation_for",
    "translations_stamp",
    "wording",
    "wordings",
]


def organisation(session: Session, organisation_id: UUID) -> facts.OrganisationFacts:
    """Reads an organisation by its id; NotFoundError when there is none."""
    return _organisation(
        session.scalar(select(Organisation).where(Organisation.organisation_id == organisation_id))
    )


def organisation_by_number(session: Session, number: int) -> facts.OrganisationFacts:
    """Reads an organisation by the number that stands in tokens and links."""
    return _organisation(session.scalar(select(Organisation).where(Organisation.number == number)))


def organisation_by_name(session: Session, name: str) -> facts.OrganisationFacts:
    """Reads an organisation by the short name that its operator gave it."""
    row = session.scalar(select(Organisation).where(Organisation.name == name))
    if row is None:
        raise NotFoundError(
            f"there is no organisation {name!r}; `consentledger organisation list` names them all"
        )
    return _organisation(row)


def organisations(session: Session) -> list[facts.OrganisationFacts]:
    """Reads all organisations of this installation, by name."""
    return [
        _organisation(row)
        for row in session.scalars(select(Organisation).order_by(Organisation.name))
    ]


def _organisation(row: Organisation | None) -> facts.OrganisationFacts:
    if row is None:
        raise NotFoundError("there is no such organisation")
    return facts.OrganisationFacts(
        organisation_id=row.organisation_id,
        number=row.number,
        log_id=row.log_id,
        name=row.name,
        legal_name=row.legal_name,
        country=row.country,
        ip_policy=row.ip_policy,
        request_days=row.request_days,
        created_at=row.created_at,
        address_policy=facts.AddressPolicy(row.disposable_policy, row.role_policy),
    )


_SENDERS = (
    select(Sender, Organisation.number)
    .join(Organisation, Organisation.organisation_id == Sender.organisation_id)
    .where(Sender.published_at.is_not(None))
)


def sender(session: Session, organisation_id: UUID, sender_id: UUID) -> facts.SenderFacts:
    """Reads a published sender in its newest version; NotFoundError when this organisation has none such."""
    row = session.execute(
        _SENDERS.where(Sender.organisation_id == organisation_id, Sender.sender_id == sender_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("there is no such sender")
    return _sender(*row)


def senders(
    session: Session, organisation_id: UUID, *, after: UUID | None = None, limit: int = 100
) -> list[facts.SenderFacts]:
    """Reads an organisation's senders in the order of their ids, from behind `after`."""
    query = _SENDERS.where(Sender.organisation_id == organisation_id)
    if after is not None:
        query = query.where(Sender.sender_id > after)
    rows = session.execute(query.order_by(Sender.sender_id).limit(limit))
    return [_sender(*row) for row in rows]


def all_senders(session: Session, *, limit: int = 500) -> list[facts.SenderFacts]:
    """Reads the senders of all organisations (for /stop, where a person chooses one)."""
    rows = session.execute(_SENDERS.order_by(Organisation.number, Sender.sender_id).limit(limit))
    return [_sender(*row) for row in rows]


def _sender(row: Sender, number: int) -> facts.SenderFacts:
    assert row.published_at is not None  # noqa: S101 - the query asks for published ones only
    return facts.SenderFacts(
        organisation_id=row.organisation_id,
        organisation_number=number,
        sender_id=row.sender_id,
        version=row.version,
        identity=facts.SenderIdentity(**row.identity),
        link_host=row.link_host,
        has_transport=row.sealed_transport is not None,
        published_at=row.published_at,
    )


def transport_context(sender_id: UUID) -> bytes:
    """Returns what a sender's sealed transport is bound to."""
    return b"consentledger/sender-transport/v1\n" + sender_id.bytes


def sender_transport(
    session: Session, keystore: KeyStore, organisation_id: UUID, sender_id: UUID
) -> facts.SenderTransport | None:
    """Reads and opens a sender's own SMTP peer; None when its mail goes by the installation's."""
    sealed = session.scalar(
        select(Sender.sealed_transport).where(
            Sender.organisation_id == organisation_id, Sender.sender_id == sender_id
        )
    )
    if sealed is None:
        return None
    sealer = keystore.organisation(session, organisation_id).sealer
    return facts.SenderTransport(**json.loads(sealer.open(sealed, transport_context(sender_id))))


def purpose(session: Session, organisation_id: UUID, purpose_id: UUID) -> facts.PurposeFacts:
    """Reads a purpose in its newest version; NotFoundError when this organisation has none such."""
    row = session.scalar(
        select(Purpose).where(
            Purpose.organisation_id == organisation_id, Purpose.purpose_id == purpose_id
        )
    )
    if row is None:
        raise NotFoundError("there is no such purpose")
    return purpose_facts(row)


def purposes(
    session: Session,
    organisation_id: UUID,
    *,
    after: UUID | None = None,
    limit: int = 100,
    only: Collection[UUID] | None = None,
) -> list[facts.PurposeFacts]:
    """Reads an organisation's purposes in the order of their ids, from behind `after`, or `only` some."""
    query = select(Purpose).where(Purpose.organisation_id == organisation_id)
    if after is not None:
        query = query.where(Purpose.purpose_id > after)
    if only is not None:
        query = query.where(Purpose.purpose_id.in_(only))
    return [
        purpose_facts(row)
        for row in session.scalars(query.order_by(Purpose.purpose_id).limit(limit))
    ]


def purpose_facts(row: Purpose) -> facts.PurposeFacts:
    """Makes the facts of a purpose's row."""
    assert row.published_at is not None  # noqa: S101 - a purpose has no draft
    return facts.PurposeFacts(
        organisation_id=row.organisation_id,
        purpose_id=row.purpose_id,
        version=row.version,
        purpose_class=row.purpose_class,
        titles=row.titles,
        channels=tuple(row.channels),
        categories=tuple(row.categories),
        published_at=row.published_at,
    )


def wording(session: Session, organisation_id: UUID, wording_id: UUID) -> facts.WordingFacts:
    """Reads a wording, draft or published; NotFoundError when this organisation has none such."""
    row = session.scalar(
        select(Wording).where(
            Wording.organisation_id == organisation_id, Wording.wording_id == wording_id
        )
    )
    if row is None:
        raise NotFoundError("there is no such wording")
    return wording_facts(row)


def wordings(
    session: Session, organisation_id: UUID, *, after: UUID | None = None, limit: int = 100
) -> list[facts.WordingFacts]:
    """Reads an organisation's wordings in the order of their ids, from behind `after`."""
    query = select(Wording).where(Wording.organisation_id == organisation_id)
    if after is not None:
        query = query.where(Wording.wording_id > after)
    return [
        wording_facts(row)
        for row in session.scalars(query.order_by(Wording.wording_id).limit(limit))
    ]


def wording_facts(row: Wording) -> facts.WordingFacts:
    """Makes the facts of a wording's row."""
    content = row.content
    return facts.WordingFacts(
        organisation_id=row.organisation_id,
        wording_id=row.wording_id,
        sender_id=row.sender_id,
        purpose_id=row.purpose_id,
        language=row.language,
        channel=content["channel"],
        controllers=tuple(content["controllers"]),
        statement=content["statement"],
        withdrawal=content["withdrawal"],
        notice_text=content["notice_text"],
        notice_url=content["notice_url"],
        published_at=row.published_at,
    )
