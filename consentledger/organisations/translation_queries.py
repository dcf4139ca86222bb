"""Reads of translations: which of a form's are published, and which one is served for a language."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.kernel.errors import NotFoundError, PausedError
from consentledger.organisations import translation_rules
from consentledger.organisations.form_queries import published_form
from consentledger.organisations.models import Form, FormVersion

Stamp = tuple[tuple[UUID, str, int], ...]

_PUBLISHED = (
    select(Form.form_id, FormVersion.language, Form.version)
    .join(
        FormVersion,
        (FormVersion.organisation_id == Form.organisation_id)
        & (FormVersion.form_id == Form.form_id)
        & (FormVersion.version == Form.version),
    )
    .where(Form.state == "published")
    .order_by(Form.form_id)
)


def translations_stamp(session: Session, form_id: UUID) -> Stamp:
    """Reads the published translations of a form: each one's form id, language and version; () for most forms."""
    rows = session.execute(_PUBLISHED.where(Form.translation_of == form_id))
    return tuple((found, language, version) for found, language, version in rows)


def translation_for(session: Session, form_id: UUID, language: str) -> UUID | None:
    """Reads which form to serve instead for a language: a published translation that says the same; else None.

    None also for a form that is not served itself, and when `language` is the form's own.
    """
    others = {tag: found for found, tag, _ in translations_stamp(session, form_id)}
    if not others:
        return None
    try:
        first = published_form(session, form_id)
        chosen = translation_rules.fits(language, {first.language, *others})
        if chosen is None or chosen == first.language:
            return None
        other = published_form(session, others[chosen])
    except (NotFoundError, PausedError):  # the first form is, or one was between two reads
        return None
    faces = translation_rules.face_of(first), translation_rules.face_of(other)
    if other.organisation_id != first.organisation_id or translation_rules.differences(*faces):
        return None
    return other.form_id
