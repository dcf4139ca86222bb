"""Verbs for wordings: drafts may be edited, a published wording never changes again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.organisations import addresses, fields, queries, rules, shown, staging
from consentledger.organisations.models import Wording
from consentledger.organisations.staging import Staged

MAX_PURPOSES = 1_000


@dataclass(frozen=True, slots=True)
class WordingText:
    """What a person reads before ticking a box; `notice_text` is the stored copy of the privacy notice."""

    controllers: tuple[str, ...]
    statement: str
    withdrawal: str
    notice_text: str
    notice_url: str | None = None
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class WriteWording:
    """A draft of a wording: for one purpose of one sender, in one language."""

    organisation_id: UUID
    sender_id: UUID
    purpose_id: UUID
    language: str
    text: WordingText


@dataclass(frozen=True, slots=True)
class PublishWording:
    """Which draft to publish, and who says so."""

    organisation_id: UUID
    wording_id: UUID
    actor: str


@dataclass(frozen=True, slots=True)
class WordingPublished:
    """The wording and the index of its entry."""

    wording_id: UUID
    entry_index: int


def create_wording(tx: Tx, command: WriteWording) -> UUID:
    """Stores a draft; NotFoundError for a sender or purpose of another organisation. Drafts make no entry."""
    content = content_of(command.text)
    language = fields.language(command.language)
    queries.sender(tx.session, command.organisation_id, command.sender_id)
    queries.purpose(tx.session, command.organisation_id, command.purpose_id)
    row = Wording(
        organisation_id=command.organisation_id,
        wording_id=uuid7(),
        sender_id=command.sender_id,
        purpose_id=command.purpose_id,
        language=language,
        content=content,
    )
    tx.session.add(row)
    return row.wording_id


def edit_wording(tx: Tx, wording_id: UUID, command: WriteWording) -> None:
    """Replaces a draft; ConflictError once it is published: people have agreed to exactly that text."""
    content = content_of(command.text)
    language = fields.language(command.language)
    row = _lock(tx, command.organisation_id, wording_id)
    if row.published_at is not None:
        raise ConflictError("a published wording never changes: create another one")
    queries.sender(tx.session, command.organisation_id, command.sender_id)
    queries.purpose(tx.session, command.organisation_id, command.purpose_id)
    row.sender_id, row.purpose_id = command.sender_id, command.purpose_id
    row.language, row.content = language, content


def publish_wording(tx: Tx, command: PublishWording) -> WordingPublished:
    """Publishes a draft, with the text and the notice stored beside its entry.

    Raises GapsError naming everything that is missing (GDPR art. 4(11), 7(3), 13), ConflictError when it is
    published already.
    """
    row, staged = stage_wording(tx, command)
    (index,) = staging.append(tx, row.organisation_id, [staged])
    return WordingPublished(row.wording_id, index)


def stage_wording(tx: Tx, command: PublishWording) -> tuple[Wording, Staged]:
    """Makes a draft ready to be published: the row with its texts, and what its entry will say."""
    row = _lock(tx, command.organisation_id, command.wording_id)
    if row.published_at is not None:
        raise ConflictError("this wording is published already")
    wording = queries.wording_facts(row)
    purpose = queries.purpose(tx.session, row.organisation_id, row.purpose_id)
    sender = queries.sender(tx.session, row.organisation_id, row.sender_id)
    others = queries.purposes(tx.session, row.organisation_id, limit=MAX_PURPOSES)
    rules.refuse(rules.wording_gaps(wording, purpose, sender.identity, others))
    row.text_blob = shown.stored_blob(shown.wording_text(wording, purpose.title(wording.language)))
    row.notice_blob = shown.stored_blob(wording.notice_text)
    row.published_at = tx.now
    draft = Draft(
        "wording.published",
        {
            "wording": str(wording.wording_id),
            "purpose": str(wording.purpose_id),
            "sender": str(wording.sender_id),
            "language": wording.language,
            "controllers": list(wording.controllers),
            "statement": wording.statement,
            "withdrawal": wording.withdrawal,
            "notice_url": wording.notice_url,
            "text": list(shown.value_of(row.text_blob, "text/plain")),
            "notice": list(shown.value_of(row.notice_blob, "text/plain")),
        },
        actor=command.actor,
        blobs=(row.text_blob, row.notice_blob),
    )
    tx.session.flush()
    return row, Staged(row, draft)


def content_of(text: WordingText) -> dict[str, Any]:
    """Returns a wording's texts as they are stored, read strictly."""

    # A draft may lack things, publishing names them; what is there must be readable.
    def maybe(value: str, name: str, longest: int = fields.TEXT) -> str:
        return fields.text(value, name, longest=longest) if value.strip() else ""

    controllers = [fields.line(name, "controllers") for name in text.controllers]
    if len(controllers) > rules.MAX_CONTROLLERS:
        raise fields.wrong(
            "controllers", "too_many", f"controllers: at most {rules.MAX_CONTROLLERS}"
        )
    return {
        **asdict(text),
        "channel": fields.channel(text.channel),
        "controllers": list(dict.fromkeys(controllers)),
        "statement": maybe(text.statement, "statement", 5_000),
        "withdrawal": maybe(text.withdrawal, "withdrawal", 2_000),
        "notice_text": maybe(text.notice_text, "notice_text", rules.LONGEST_NOTICE),
        "notice_url": addresses.url(text.notice_url, "notice_url"),
    }


def _lock(tx: Tx, organisation_id: UUID, wording_id: UUID) -> Wording:
    row = tx.session.scalar(
        select(Wording)
        .where(Wording.organisation_id == organisation_id, Wording.wording_id == wording_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such wording")
    return row
