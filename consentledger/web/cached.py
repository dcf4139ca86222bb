"""What a process keeps of the things that marketers publish, so that a hot path reads little.

A form is kept under its stamp, which is read each time: an unpublished form is gone at once. Senders
and purposes are only shown; a page may show their last version for a few seconds longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from uuid import UUID

from flask import current_app

from consentledger.kernel.errors import NotFoundError, PausedError
from consentledger.organisations import queries
from consentledger.organisations.facts import PublishedForm, PurposeFacts, SenderFacts
from consentledger.organisations.translation_rules import fits
from consentledger.web.services import installation

MOST = 2000
SHOWN_SECONDS = 5.0
NAME = "consentledger.cached"
Kept = TypeVar("Kept")


def published_form(form_id: UUID) -> PublishedForm:
    """The served version of a form; NotFoundError when it is not served now."""
    kept = _kept()
    with installation().database.read() as session:
        stamp = queries.form_stamp(session, form_id)
        found = kept.get(("form", form_id))
        if found is None or found[0] != stamp:
            # Read behind the stamp: at worst something newer is kept under an older stamp.
            found = (stamp, queries.published_form(session, form_id))
            _keep(kept, ("form", form_id), found)
    form = found[1]
    assert isinstance(form, PublishedForm)  # noqa: S101 -- stored above
    return form


def translated_form(form: PublishedForm, language: str) -> PublishedForm:
    """The form that says the same in another language, or `form` itself where there is none such now."""
    kept = _kept()
    with installation().database.read() as session:
        others = queries.translations_stamp(session, form.form_id)
        tag = fits(language, {form.language, *(spoken for _, spoken, _ in others)})
        if tag is None or tag == form.language:
            return form
        key, stamp = ("translation", form.form_id, tag), (form.version, others)
        found = kept.get(key)
        if found is None or found[0] != stamp:
            found = (stamp, queries.translation_for(session, form.form_id, tag))
            _keep(kept, key, found)
    try:
        return published_form(found[1]) if found[1] else form
    except (NotFoundError, PausedError):
        return form


def kept_form(form_id: UUID) -> PublishedForm | None:
    """A form as this process last saw it, without a look at the database; only for how an answer is framed."""
    found = _kept().get(("form", form_id))
    return found[1] if found is not None and isinstance(found[1], PublishedForm) else None


def sender(organisation_id: UUID, sender_id: UUID) -> SenderFacts:
    """A sender for showing; NotFoundError when there is none."""

    def read() -> SenderFacts:
        with installation().database.read() as session:
            return queries.sender(session, organisation_id, sender_id)

    return _shown(("sender", organisation_id, sender_id), read)


def purpose(organisation_id: UUID, purpose_id: UUID) -> PurposeFacts:
    """A purpose for showing; NotFoundError when there is none."""

    def read() -> PurposeFacts:
        with installation().database.read() as session:
            return queries.purpose(session, organisation_id, purpose_id)

    return _shown(("purpose", organisation_id, purpose_id), read)


def _shown(key: Hashable, read: Callable[[], Kept]) -> Kept:
    kept, at = _kept(), time.monotonic()
    found = kept.get(key)
    if found is None or found[0] < at:
        found = (at + SHOWN_SECONDS, read())
        _keep(kept, key, found)
    value: Kept = found[1]
    return value


def _kept() -> dict[Hashable, tuple[Any, Any]]:
    kept: dict[Hashable, tuple[Any, Any]] = current_app.extensions.setdefault(NAME, {})
    return kept


def _keep(kept: dict[Hashable, tuple[Any, Any]], key: Hashable, value: tuple[Any, Any]) -> None:
    if len(kept) >= MOST:
        kept.clear()
    kept[key] = value
