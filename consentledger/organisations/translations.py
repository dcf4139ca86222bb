"""Translations: a form of its own that says what the first form says, in another language; what each one lacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.kernel.errors import NotFoundError
from consentledger.organisations import fields, freezing, queries, translation_rules
from consentledger.organisations.facts import FormPurpose
from consentledger.organisations.models import Form
from consentledger.organisations.rules import Gap
from consentledger.organisations.translation_rules import Face

MOST = 100


@dataclass(frozen=True, slots=True)
class Completeness:
    """What a form's draft lacks before it can be published, and what may be published but is worth a look.

    `served` says whether its published version is served now; for a translation, whether the first form serves it.
    """

    form_id: UUID
    translation_of: UUID | None
    language: str
    state: str
    version: int
    served: bool
    gaps: tuple[Gap, ...]
    warnings: tuple[Gap, ...]
    translations: tuple[Completeness, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the draft can be published as it is."""
        return not self.gaps


def check_first(session: Session, row: Form) -> None:
    """Refuses to make a translation of nothing, of a translation, or into the first form's own language."""
    assert row.translation_of is not None  # noqa: S101 - asked for translations only
    try:
        first = queries.form(session, row.organisation_id, row.translation_of)
    except NotFoundError as error:
        raise fields.wrong(
            "translation_of", "not_found", "translation_of: there is no such form"
        ) from error
    if first.translation_of is not None:
        raise fields.wrong(
            "translation_of", "translation", "translation_of: that form is a translation itself"
        )
    if first.draft["language"] == row.language:
        raise fields.wrong(
            "language", "same", f"language: the first form is in {row.language} already"
        )


def check_language(session: Session, row: Form, language: str) -> None:
    """Refuses a new language of a translation, and of a first form one that it is translated into."""
    if language == row.language:
        return
    if row.translation_of is not None:
        raise fields.wrong(
            "language", "fixed", f"language: this is the translation into {row.language}"
        )
    taken = {other.language for other in translations_of(session, row.organisation_id, row.form_id)}
    if language in taken:
        raise fields.wrong(
            "language", "translated", f"language: there is a translation into {language}"
        )


def translations_of(session: Session, organisation_id: UUID, form_id: UUID) -> list[Form]:
    """Reads the rows of a form's translations, by form id."""
    query = select(Form).where(
        Form.organisation_id == organisation_id, Form.translation_of == form_id
    )
    return list(session.scalars(query.order_by(Form.form_id).limit(MOST)))


def gaps(session: Session, row: Form, parts: freezing.Parts) -> list[Gap]:
    """Names what keeps a translation's draft from saying what the first form says; nothing for a first form."""
    if row.translation_of is None:
        return []
    first = _served_face(session, row.organisation_id, row.translation_of)
    if first is None:
        return [
            Gap("translation_of", "not_published", "translation_of: publish the first form first")
        ]
    return _against(first, parts)


def _against(first: Face, parts: freezing.Parts) -> list[Gap]:
    other = _face(parts)
    return [
        *translation_rules.differences(first, other),
        *translation_rules.title_gaps(parts.purposes, parts.spec.language),
    ]


def _face(parts: freezing.Parts) -> Face:
    spec = parts.spec
    purposes = tuple(box.purpose_id for box in parts.boxes)
    return Face(spec.sender_id, spec.channel, purposes, spec.fields, spec.origins, spec.returns)


def behind(session: Session, row: Form) -> tuple[str, ...]:
    """Names the languages of published translations that say something else than the first form's new version."""
    if row.translation_of is not None:
        return ()
    first = _served_face(session, row.organisation_id, row.form_id)
    return tuple(
        other.language
        for other in translations_of(session, row.organisation_id, row.form_id)
        if other.state != "draft" and not _serves(session, first, other)
    )


def completeness(
    session: Session, organisation_id: UUID, form_id: UUID, spoken: Collection[str]
) -> Completeness:
    """Says what a form's draft and each of its translations lack; `spoken` are the languages of our own sentences.

    Translations of a first form are held against its draft: that is what they will have to say.
    """
    row = session.scalar(
        select(Form).where(Form.organisation_id == organisation_id, Form.form_id == form_id)
    )
    if row is None:
        raise NotFoundError("there is no such form")
    parts = _parts(session, row)
    if row.translation_of is not None:
        first = _served_face(session, organisation_id, row.translation_of)
        drafted = queries.form(session, organisation_id, row.translation_of).draft
        words = freezing.parts_of(session, organisation_id, freezing.spec_of(drafted)).boxes
        served, found = _serves(session, first, row), gaps(session, row, parts)
        return _said(row, parts, found, _doubts(parts, spoken, words), served=served)
    own = _served_face(session, organisation_id, form_id)
    coming = _face(parts)
    others = []
    for other in translations_of(session, organisation_id, form_id):
        theirs = _parts(session, other)
        serves = _serves(session, own, other)
        doubts = _doubts(theirs, spoken, parts.boxes)
        others.append(_said(other, theirs, _against(coming, theirs), doubts, served=serves))
    doubts = _doubts(parts, spoken)
    return _said(row, parts, [], doubts, served=own is not None, others=tuple(others))


def _doubts(
    parts: freezing.Parts, spoken: Collection[str], first: tuple[FormPurpose, ...] = ()
) -> tuple[Gap, ...]:
    return (
        *translation_rules.warnings(parts.spec.language, spoken),
        *translation_rules.untranslated(first, parts.boxes),
    )


def _said(
    row: Form,
    parts: freezing.Parts,
    found: list[Gap],
    doubts: tuple[Gap, ...],
    *,
    served: bool,
    others: tuple[Completeness, ...] = (),
) -> Completeness:
    return Completeness(
        form_id=row.form_id,
        translation_of=row.translation_of,
        language=parts.spec.language,
        state=row.state,
        version=row.version,
        served=served,
        gaps=(*parts.gaps, *found),
        warnings=doubts,
        translations=others,
    )


def _parts(session: Session, row: Form) -> freezing.Parts:
    return freezing.parts_of(session, row.organisation_id, freezing.spec_of(row.draft))


def _served_face(session: Session, organisation_id: UUID, form_id: UUID) -> Face | None:
    row = queries.form(session, organisation_id, form_id)
    if row.state != "published":
        return None
    version = queries.form_version(session, organisation_id, form_id, row.version)
    return translation_rules.face_of(version)


def _serves(session: Session, first: Face | None, other: Form) -> bool:
    theirs = _served_face(session, other.organisation_id, other.form_id)
    return (
        first is not None
        and theirs is not None
        and not translation_rules.differences(first, theirs)
    )
