"""Verbs for organisations and senders; purposes, wordings and forms are in modules of their own.

Each verb takes an open unit of work and a frozen command, checks everything first, writes its rows, and appends
its entries last.
"""

from __future__ import annotations

import json
import os
from base64 import b32encode
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consentledger.db.log.entries import Draft
from consentledger.db.signing.signers import log_signers, newest_evidence_vkey
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings
from consentledger.ledger.disclosure import Value
from consentledger.organisations import addresses, fields, packs, rules, staging
from consentledger.organisations.facts import Published, SenderIdentity, SenderTransport
from consentledger.organisations.forms import (
    FormAnswer,
    FormPublished,
    PublishForm,
    WriteForm,
    create_form,
    edit_form,
    publish_form,
    unpublish_form,
)
from consentledger.organisations.freezing import FormSpec
from consentledger.organisations.models import Organisation, Sender
from consentledger.organisations.pausing import resume_form
from consentledger.organisations.purposes import PublishPurpose, publish_purpose
from consentledger.organisations.queries import transport_context
from consentledger.organisations.staging import Staged
from consentledger.organisations.wordings import (
    PublishWording,
    WordingPublished,
    WordingText,
    WriteWording,
    create_wording,
    edit_wording,
    publish_wording,
)

__all__ = [
    "CreateOrganisation",
    "FormAnswer",
    "FormPublished",
    "FormSpec",
    "OrganisationCreated",
    "PublishForm",
    "PublishPurpose",
    "PublishSender",
    "PublishWording",
    "Published",
    "WordingPublished",
    "WordingText",
    "WriteForm",
    "WriteWording",
    "create_form",
    "create_organisation",
    "create_wording",
    "edit_form",
    "edit_wording",
    "publish_form",
    "publish_purpose",
    "publish_sender",
    "publish_wording",
    "resume_form",
    "unpublish_form",
]

LOG_ID_BYTES = 10
MAX_REQUEST_DAYS = 30
SMTP_TLS = ("starttls", "implicit")


@dataclass(frozen=True, slots=True)
class CreateOrganisation:
    """A new organisation: `name` is how its operator calls it; `legal_name` the legal person's."""

    name: str
    legal_name: str
    country: str
    ip_policy: str = "full"
    request_days: int = 7
    actor: str = "operator"


@dataclass(frozen=True, slots=True)
class OrganisationCreated:
    """The new organisation: its id, the number in its links, its log's origin and verifier keys."""

    organisation_id: UUID
    number: int
    log_id: str
    origin: str
    log_key: str
    evidence_key: str


@dataclass(frozen=True, slots=True)
class PublishSender:
    """A sender's identity in a new version; without `sender_id` a new sender.

    `transport` None keeps what there is; `drop_transport` goes back to the installation's.
    """

    organisation_id: UUID
    identity: SenderIdentity
    actor: str
    sender_id: UUID | None = None
    link_host: str | None = None
    transport: SenderTransport | None = field(default=None, repr=False)
    drop_transport: bool = False


def create_organisation(
    tx: Tx, command: CreateOrganisation, settings: Settings
) -> OrganisationCreated:
    """Makes an organisation with its keys and its log, whose first entries say who may sign and what holds.

    Raises InputError naming a field, ConflictError when the name is taken.
    """
    made = _organisation_row(tx, command)
    origin = f"{settings.log_host}/log/{made.log_id}"
    log_key = log_signers(settings.secrets).vkey(origin)
    evidence_key = newest_evidence_vkey(settings.secrets, origin)
    tx.log.keystore.create_organisation(tx.session, made.organisation_id)
    tx.log.create(tx, made.organisation_id, origin)
    plain = {
        "evidence_key": evidence_key,
        "log_key": log_key,
        "origin": origin,
        "previous": "none",
    }
    entries = tx.log.append(tx, made.organisation_id, _first_entries(made, command.actor, plain))
    packs.record(tx, made.organisation_id, packs.first(), packs.FIRST, entries[-1].index)
    return OrganisationCreated(
        made.organisation_id, made.number, made.log_id, origin, log_key, evidence_key
    )


def _first_entries(made: Organisation, actor: str, plain: dict[str, str]) -> list[Draft]:
    """Returns the drafts that begin a log: who may sign, what holds, which rules."""
    holds: dict[str, Value] = {
        "organisation": str(made.organisation_id),
        "name": made.name,
        "legal_name": made.legal_name,
        "country": made.country,
        "ip_policy": made.ip_policy,
        "request_days": made.request_days,
    }
    return [
        Draft("log.genesis", {"checkpoint": None, "reason": None}, actor=actor, plain=plain),
        Draft("organisation.changed", holds, actor=actor),
        packs.draft_of(packs.first(), packs.FIRST, actor),
    ]


def _organisation_row(tx: Tx, command: CreateOrganisation) -> Organisation:
    if command.ip_policy not in rules.IP_POLICIES:
        raise fields.wrong(
            "ip_policy", "unknown", f"ip_policy must be one of {', '.join(rules.IP_POLICIES)}"
        )
    if not 1 <= command.request_days <= MAX_REQUEST_DAYS:
        raise fields.wrong(
            "request_days", "range", f"request_days must be between 1 and {MAX_REQUEST_DAYS}"
        )
    row = Organisation(
        organisation_id=uuid7(),
        # Random, so that a link does not tell how many organisations there are; never 0.
        number=int.from_bytes(os.urandom(4), "big") or 1,
        log_id=b32encode(os.urandom(LOG_ID_BYTES)).decode("ascii").lower(),
        name=fields.line(command.name, "name"),
        legal_name=fields.line(command.legal_name, "legal_name"),
        country=fields.country(command.country),
        ip_policy=command.ip_policy,
        request_days=command.request_days,
        created_at=tx.now,
    )
    tx.session.add(row)
    try:
        tx.session.flush()
    except IntegrityError as error:
        raise ConflictError(f"there is an organisation {row.name} already") from error
    return row


def publish_sender(tx: Tx, command: PublishSender) -> Published:
    """Publishes a sender's identity, as a new sender or a new version; all gaps are named at once.

    A published sender keeps its legal name: consent is given to one legal person (2002/58/EC art. 13(4)).
    """
    row, staged = stage_sender(tx, command)
    (index,) = staging.append(tx, row.organisation_id, [staged])
    return Published(row.sender_id, row.version, index)


def stage_sender(tx: Tx, command: PublishSender) -> tuple[Sender, Staged]:
    """Makes a sender's next version ready to be published: the row, and what its entry will say."""
    identity = rules.identity(command.identity)
    link_host = (
        None if command.link_host is None else addresses.host(command.link_host, "link_host")
    )
    row = _sender_row(tx, command)
    if row.version and row.identity["legal_name"] != identity.legal_name:
        raise ConflictError(
            "people consented to this sender's legal person: publish another sender for another one"
        )
    row.version += 1
    row.identity = identity.as_json()
    row.link_host = link_host
    row.published_at = tx.now
    _set_transport(tx, row, command)
    draft = Draft(
        "sender.published",
        {
            **identity.as_json(),
            "sender": str(row.sender_id),
            "version": row.version,
            "link_host": link_host,
        },
        actor=command.actor,
    )
    tx.session.flush()
    return row, Staged(row, draft)


def _sender_row(tx: Tx, command: PublishSender) -> Sender:
    if command.sender_id is None:
        row = Sender(
            organisation_id=command.organisation_id, sender_id=uuid7(), version=0, identity={}
        )
        tx.session.add(row)
        return row
    found = tx.session.scalar(
        select(Sender)
        .where(
            Sender.organisation_id == command.organisation_id, Sender.sender_id == command.sender_id
        )
        .with_for_update()
    )
    if found is None:
        raise NotFoundError("there is no such sender")
    return found


def _set_transport(tx: Tx, row: Sender, command: PublishSender) -> None:
    transport = command.transport
    if transport is None:
        if command.drop_transport:
            row.sealed_transport = None
        return
    if transport.tls not in SMTP_TLS:
        raise fields.wrong(
            "transport.tls", "unknown", f"transport.tls must be one of {', '.join(SMTP_TLS)}"
        )
    if not 1 <= transport.port <= 65_535:
        raise fields.wrong("transport.port", "range", "transport.port must be from 1 to 65535")
    # A name only, and TLS with a checked certificate: so that nobody makes our worker talk to inner machines.
    kept = {**asdict(transport), "server": addresses.host(transport.server, "transport.server")}
    sealer = tx.log.keystore.organisation(tx.session, row.organisation_id).sealer
    row.sealed_transport = sealer.seal(json.dumps(kept).encode(), transport_context(row.sender_id))
