"""Verbs for forms: a draft, and versions that are frozen when they are published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.organisations import addresses, fields, queries, rules, shown
from consentledger.organisations.facts import (
    FormField,
    FormPurpose,
    PurposeFacts,
    SenderFacts,
    WordingFacts,
)
from consentledger.organisations.models import Form, FormVersion, Wording

EMAIL_ONLY = (FormField("email", True),)


@dataclass(frozen=True, slots=True)
class FormSpec:
    """What a form is made of. Each wording is one box; there is no way to say that a box is ticked.

    `origins` may embed it and post to it, `returns` are where people may be led back to.
    """

    sender_id: UUID
    language: str
    wordings: tuple[UUID, ...]
    fields: tuple[FormField, ...] = EMAIL_ONLY
    origins: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class WriteForm:
    """A form's draft, whole."""

    organisation_id: UUID
    spec: FormSpec


@dataclass(frozen=True, slots=True)
class PublishForm:
    """Which form to publish or take down, and who says so."""

    organisation_id: UUID
    form_id: UUID
    actor: str


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """A form's id, state and served version (0: never published)."""

    form_id: UUID
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class FormPublished:
    """The version that is served from now on, and the index of its entry."""

    form_id: UUID
    version: int
    entry_index: int


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a version is made from, read and checked."""

    spec: FormSpec
    sender: SenderFacts
    boxes: tuple[FormPurpose, ...]


def create_form(tx: Tx, command: WriteForm) -> FormAnswer:
    """Stores a draft; NotFoundError for a sender or wording of another organisation. Drafts make no entry."""
    draft = _draft(tx, command)
    row = Form(
        organisation_id=command.organisation_id,
        form_id=uuid7(),
        state="draft",
        version=0,
        draft=draft,
        created_at=tx.now,
    )
    tx.session.add(row)
    return FormAnswer(row.form_id, row.state, row.version)


def edit_form(tx: Tx, form_id: UUID, command: WriteForm) -> FormAnswer:
    """Replaces a form's draft; what is published stays as it is until the next publishing."""
    draft = _draft(tx, command)
    row = _lock(tx, command.organisation_id, form_id)
    row.draft = draft
    return FormAnswer(row.form_id, row.state, row.version)


def publish_form(tx: Tx, command: PublishForm) -> FormPublished:
    """Publishes a form's draft as its next version, frozen with the text as shown and the notices.

    Raises GapsError naming everything that is missing, NotFoundError for another organisation's form.
    """
    row = _lock(tx, command.organisation_id, command.form_id)
    spec = spec_of(row.draft)
    parts = _parts(tx, command.organisation_id, spec)
    row.version += 1
    row.state = "published"
    version = _version(tx, row, parts)
    tx.session.add(version)
    draft = Draft(
        "form.published",
        _entry_values(version, parts),
        actor=command.actor,
        blobs=(version.text_blob, version.notice_blob),
    )
    tx.session.flush()
    (entry,) = tx.log.append(tx, row.organisation_id, [draft])
    version.entry_index = entry.index
    return FormPublished(row.form_id, row.version, entry.index)


def unpublish_form(tx: Tx, command: PublishForm) -> FormAnswer:
    """Takes a form down (`configuration.changed`): it collects nothing any more, mailed links work on."""
    row = _lock(tx, command.organisation_id, command.form_id)
    if row.state != "published":
        raise ConflictError("this form is not published")
    row.state = "unpublished"
    draft = Draft(
        "configuration.changed",
        {"setting": f"form.{row.form_id}.state", "value": "unpublished"},
        actor=command.actor,
    )
    tx.session.flush()
    tx.log.append(tx, row.organisation_id, [draft])
    return FormAnswer(row.form_id, row.state, row.version)


def _draft(tx: Tx, command: WriteForm) -> dict[str, Any]:
    spec = command.spec
    if len(spec.wordings) > rules.MAX_BOXES:
        raise fields.wrong("wordings", "too_many", f"wordings: at most {rules.MAX_BOXES} boxes")
    if len(set(spec.wordings)) != len(spec.wordings):
        raise fields.wrong("wordings", "double", "wordings: one wording stands twice")
    queries.sender(tx.session, command.organisation_id, spec.sender_id)
    _wordings(tx, command.organisation_id, spec.wordings)
    return {
        "sender_id": str(spec.sender_id),
        "language": fields.language(spec.language),
        "channel": fields.channel(spec.channel),
        "wordings": [str(wording_id) for wording_id in spec.wordings],
        "fields": [asdict(item) for item in rules.form_fields(spec.fields)],
        "origins": list(addresses.form_origins(spec.origins)),
        "returns": list(addresses.form_returns(spec.returns)),
    }


def spec_of(draft: dict[str, Any]) -> FormSpec:
    """Reads a stored draft back."""
    return FormSpec(
        sender_id=UUID(draft["sender_id"]),
        language=draft["language"],
        channel=draft["channel"],
        wordings=tuple(UUID(wording_id) for wording_id in draft["wordings"]),
        fields=tuple(FormField(**item) for item in draft["fields"]),
        origins=tuple(draft["origins"]),
        returns=tuple(draft["returns"]),
    )


def _wordings(tx: Tx, organisation_id: UUID, wanted: Sequence[UUID]) -> list[WordingFacts]:
    rows = tx.session.scalars(
        select(Wording).where(
            Wording.organisation_id == organisation_id, Wording.wording_id.in_(wanted)
        )
    )
    found = {row.wording_id: queries.wording_facts(row) for row in rows}
    for wording_id in wanted:
        if wording_id not in found:
            raise fields.wrong(
                "wordings", "not_found", f"wordings: there is no wording {wording_id}"
            )
    return [found[wording_id] for wording_id in wanted]


def _parts(tx: Tx, organisation_id: UUID, spec: FormSpec) -> _Parts:
    wordings = _wordings(tx, organisation_id, spec.wordings)
    wanted = {wording.purpose_id for wording in wordings}
    purposes = {
        found.purpose_id: found
        for found in queries.purposes(tx.session, organisation_id, only=wanted)
    }
    rules.refuse(
        rules.form_gaps(
            wordings,
            purposes,
            sender_id=spec.sender_id,
            language=spec.language,
            channel=spec.channel,
        )
    )
    boxes = tuple(_box(wording, purposes[wording.purpose_id]) for wording in wordings)
    return _Parts(spec, queries.sender(tx.session, organisation_id, spec.sender_id), boxes)


def _box(wording: WordingFacts, purpose: PurposeFacts) -> FormPurpose:
    return FormPurpose(
        purpose_id=wording.purpose_id,
        wording_id=wording.wording_id,
        title=purpose.title(wording.language),
        purpose_class=purpose.purpose_class,
        channel=wording.channel,
        statement=wording.statement,
        controllers=wording.controllers,
        withdrawal=wording.withdrawal,
        notice_url=wording.notice_url,
        notice_text=wording.notice_text,
        language=wording.language,
    )


def _version(tx: Tx, form: Form, parts: _Parts) -> FormVersion:
    spec, identity = parts.spec, parts.sender.identity
    html = shown.form_html(identity, spec.language, spec.fields, parts.boxes)
    text_blob = shown.stored_blob(html)
    notice_blob = shown.stored_blob(shown.notices(parts.boxes))
    return FormVersion(
        organisation_id=form.organisation_id,
        form_id=form.form_id,
        version=form.version,
        sender_id=spec.sender_id,
        language=spec.language,
        content={
            "sender": identity.as_json(),
            "sender_version": parts.sender.version,
            "channel": spec.channel,
            "fields": [asdict(item) for item in spec.fields],
            "purposes": [
                {
                    **asdict(box),
                    "purpose_id": str(box.purpose_id),
                    "wording_id": str(box.wording_id),
                }
                for box in parts.boxes
            ],
            "origins": list(spec.origins),
            "returns": list(spec.returns),
            "text": list(shown.value_of(text_blob, "text/html")),
            "notice": list(shown.value_of(notice_blob, "text/plain")),
        },
        text_blob=text_blob,
        notice_blob=notice_blob,
        published_at=tx.now,
        entry_index=0,
    )


def _entry_values(version: FormVersion, parts: _Parts) -> dict[str, Any]:
    return {
        "form": str(version.form_id),
        "version": version.version,
        "sender": str(version.sender_id),
        "language": version.language,
        "purposes": [str(box.purpose_id) for box in parts.boxes],
        "wordings": [str(box.wording_id) for box in parts.boxes],
        "fields": [
            f"{item.name}:{'required' if item.required else 'optional'}"
            for item in parts.spec.fields
        ],
        "origins": list(parts.spec.origins),
        "returns": list(parts.spec.returns),
        "text": version.content["text"],
        "notice": version.content["notice"],
    }


def _lock(tx: Tx, organisation_id: UUID, form_id: UUID) -> Form:
    row = tx.session.scalar(
        select(Form)
        .where(Form.organisation_id == organisation_id, Form.form_id == form_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such form")
    return row
