"""Verbs for forms: a draft, and versions that are frozen when they are published."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.organisations import (
    addresses,
    fields,
    freezing,
    queries,
    rules,
    staging,
    translations,
)
from consentledger.organisations.freezing import FormSpec, spec_of
from consentledger.organisations.models import Form
from consentledger.organisations.staging import Staged

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class WriteForm:
    """A form's draft, whole; `name` is how its owner calls it (None keeps what it is called).

    `translation_of` names the first form whose translation this one is; that is settled when it is made.
    """

    organisation_id: UUID
    spec: FormSpec
    name: str | None = None
    translation_of: UUID | None = None


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
    """The version that is served from now on, and the index of its entry.

    `behind` are the languages of published translations that are not served any more: they say something else now.
    """

    form_id: UUID
    version: int
    entry_index: int
    behind: tuple[str, ...] = ()


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
        name=_name(command.name),
        language=draft["language"],
        translation_of=command.translation_of,
    )
    if command.translation_of is not None:
        translations.check_first(tx.session, row)
    tx.session.add(row)
    _flush(tx, row)
    return FormAnswer(row.form_id, row.state, row.version)


def edit_form(tx: Tx, form_id: UUID, command: WriteForm) -> FormAnswer:
    """Replaces a form's draft; what is published stays as it is until the next publishing."""
    draft = _draft(tx, command)
    row = lock_form(tx, command.organisation_id, form_id)
    if command.translation_of not in (None, row.translation_of):
        raise fields.wrong(
            "translation_of", "fixed", "translation_of: which form it translates never changes"
        )
    translations.check_language(tx.session, row, draft["language"])
    row.draft, row.language = draft, draft["language"]
    row.name = _name(command.name) or row.name
    _flush(tx, row)
    return FormAnswer(row.form_id, row.state, row.version)


def publish_form(tx: Tx, command: PublishForm) -> FormPublished:
    """Publishes a form's draft as its next version, frozen with the text as shown and the notices.

    Raises GapsError naming everything that is missing, NotFoundError for another organisation's form. A translation
    is published only while it says the same as the first form's served version.
    """
    row, staged = stage_form(tx, command)
    behind = translations.behind(tx.session, row)
    (index,) = staging.append(tx, row.organisation_id, [staged])
    return FormPublished(row.form_id, row.version, index, behind)


def stage_form(tx: Tx, command: PublishForm) -> tuple[Form, Staged]:
    """Makes a form's next version ready to be published: the row, and what its entry will say."""
    row = lock_form(tx, command.organisation_id, command.form_id)
    parts = freezing.parts_of(tx.session, command.organisation_id, spec_of(row.draft))
    rules.refuse([*parts.gaps, *translations.gaps(tx.session, row, parts)])
    row.version += 1
    serve(row, tx.now)
    version = freezing.frozen(row, row.version, parts, tx.now)
    tx.session.add(version)
    tx.session.flush()
    draft = Draft(
        "form.published",
        freezing.entry_values(version, parts),
        actor=command.actor,
        blobs=(version.text_blob, version.notice_blob),
    )
    return row, Staged(version, draft)


def serve(row: Form, now: datetime) -> None:
    """Makes a form take sign-ups; one that took none for a while is never paused for what was asked before that."""
    if row.state in ("paused", "unpublished"):
        row.paused, row.counted_from = None, now
    row.state = "published"


def unpublish_form(tx: Tx, command: PublishForm) -> FormAnswer:
    """Takes a form down (`configuration.changed`): it collects nothing any more, mailed links work on."""
    row = lock_form(tx, command.organisation_id, command.form_id)
    if row.state not in ("published", "paused"):
        raise ConflictError("this form is not published")
    row.state, row.paused = "unpublished", None
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
    freezing.wordings_of(tx.session, command.organisation_id, spec.wordings)
    return {
        "sender_id": str(spec.sender_id),
        "language": fields.language(spec.language),
        "channel": fields.channel(spec.channel),
        "wordings": [str(wording_id) for wording_id in spec.wordings],
        "fields": [asdict(item) for item in rules.form_fields(spec.fields)],
        "origins": list(addresses.form_origins(spec.origins)),
        "returns": list(addresses.form_returns(spec.returns)),
    }


def _name(given: str | None) -> str | None:
    if given is None:
        return None
    name = fields.line(given, "name", longest=LONGEST_NAME)
    try:
        UUID(name)
    except ValueError:
        return name
    raise fields.wrong("name", "format", "name: a form is not called by an id")


def _flush(tx: Tx, row: Form) -> None:
    try:
        tx.session.flush()
    except IntegrityError as error:
        # Two unique indexes: the names of an organisation's forms, and the languages of one form.
        if row.translation_of is not None:
            raise ConflictError(
                f"this form has a translation into {row.language} already"
            ) from error
        raise ConflictError(f"there is a form called {row.name} already") from error


def lock_form(tx: Tx, organisation_id: UUID, form_id: UUID) -> Form:
    """Locks a form's row; NotFoundError when this organisation has none such."""
    row = tx.session.scalar(
        select(Form)
        .where(Form.organisation_id == organisation_id, Form.form_id == form_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such form")
    return row
