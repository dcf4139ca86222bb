"""Verbs for purposes: what a person agrees to may later say less, never more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.ids import uuid7
from consentledger.organisations import fields, rules, staging
from consentledger.organisations.facts import Published, PurposeFacts
from consentledger.organisations.models import Purpose, Wording
from consentledger.organisations.queries import purpose_facts
from consentledger.organisations.staging import Staged


@dataclass(frozen=True, slots=True)
class PublishPurpose:
    """A purpose in a new version; without `purpose_id` a new purpose. Titles by language tag."""

    organisation_id: UUID
    titles: Mapping[str, str]
    actor: str
    purpose_class: str = "marketing"
    channels: tuple[str, ...] = ("email",)
    categories: tuple[str, ...] = ()
    purpose_id: UUID | None = None


def publish_purpose(tx: Tx, command: PublishPurpose) -> Published:
    """Publishes a purpose, as a new one or a new version that says no more than people agreed to."""
    row, staged = stage_purpose(tx, command)
    (index,) = staging.append(tx, row.organisation_id, [staged])
    return Published(row.purpose_id, row.version, index)


def stage_purpose(tx: Tx, command: PublishPurpose) -> tuple[Purpose, Staged]:
    """Makes a purpose's next version ready to be published: the row, and what its entry will say."""
    rules.check_purpose(command.purpose_class, command.titles, command.channels, command.categories)
    titles = {
        tag: fields.line(title, f"titles.{tag}") for tag, title in sorted(command.titles.items())
    }
    row = _purpose_row(tx, command)
    if row.version:
        known = _agreed(tx, purpose_facts(row))
        rules.check_no_widening(known, command.purpose_class, titles, command.categories)
    row.version += 1
    row.purpose_class = command.purpose_class
    row.titles = titles
    row.channels = list(command.channels)
    row.categories = sorted(command.categories)
    row.published_at = tx.now
    draft = Draft(
        "purpose.published",
        {
            "purpose": str(row.purpose_id),
            "version": row.version,
            "class": row.purpose_class,
            "titles": [f"{tag}={title}" for tag, title in titles.items()],
            "channels": row.channels,
            "categories": row.categories,
        },
        actor=command.actor,
    )
    tx.session.flush()
    return row, Staged(row, draft)


def _agreed(tx: Tx, purpose: PurposeFacts) -> PurposeFacts:
    """The purpose with the titles that a published wording has shown; nobody agreed to any other."""
    languages = tx.session.scalars(
        select(Wording.language)
        .where(
            Wording.organisation_id == purpose.organisation_id,
            Wording.purpose_id == purpose.purpose_id,
            Wording.published_at.is_not(None),
        )
        .distinct()
    ).all()
    shown = {tag for language in languages for tag in (language, language.split("-")[0])}
    return replace(
        purpose, titles={tag: said for tag, said in purpose.titles.items() if tag in shown}
    )


def _purpose_row(tx: Tx, command: PublishPurpose) -> Purpose:
    if command.purpose_id is None:
        row = Purpose(organisation_id=command.organisation_id, purpose_id=uuid7(), version=0)
        tx.session.add(row)
        return row
    found = tx.session.scalar(
        select(Purpose)
        .where(
            Purpose.organisation_id == command.organisation_id,
            Purpose.purpose_id == command.purpose_id,
        )
        .with_for_update()
    )
    if found is None:
        raise NotFoundError("there is no such purpose")
    return found
