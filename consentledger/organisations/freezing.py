"""What a form is made of, and how one version of it is frozen: read and checked here, stored by the verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.organisations import fields, queries, rules, shown
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
class Parts:
    """What a version is made from, as read; `gaps` names what it lacks before it can be published."""

    spec: FormSpec
    sender: SenderFacts
    boxes: tuple[FormPurpose, ...]
    purposes: tuple[PurposeFacts, ...]
    gaps: tuple[rules.Gap, ...]


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


def wordings_of(
    session: Session, organisation_id: UUID, wanted: Sequence[UUID]
) -> list[WordingFacts]:
    """Reads a form's wordings in their order; InputError for one that this organisation has not."""
    rows = session.scalars(
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


def parts_of(session: Session, organisation_id: UUID, spec: FormSpec) -> Parts:
    """Reads all that a form is made of, and names what it lacks."""
    wordings = wordings_of(session, organisation_id, spec.wordings)
    wanted = {wording.purpose_id for wording in wordings}
    purposes = {
        found.purpose_id: found for found in queries.purposes(session, organisation_id, only=wanted)
    }
    gaps = rules.form_gaps(
        wordings,
        purposes,
        sender_id=spec.sender_id,
        language=spec.language,
        channel=spec.channel,
    )
    return Parts(
        spec,
        queries.sender(session, organisation_id, spec.sender_id),
        tuple(_box(wording, purposes[wording.purpose_id]) for wording in wordings),
        tuple(purposes[wording.purpose_id] for wording in wordings),
        tuple(gaps),
    )


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


def frozen(form: Form, version: int, parts: Parts, now: datetime) -> FormVersion:
    """Makes the row of one version: content, and the blobs of what is shown; its entry's index comes later."""
    spec, identity = parts.spec, parts.sender.identity
    html = shown.form_html(identity, spec.language, spec.fields, parts.boxes)
    text_blob = shown.stored_blob(html)
    notice_blob = shown.stored_blob(shown.notices(parts.boxes))
    return FormVersion(
        organisation_id=form.organisation_id,
        form_id=form.form_id,
        version=version,
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
        published_at=now,
        entry_index=0,
    )


def entry_values(version: FormVersion, parts: Parts) -> dict[str, Any]:
    """Returns what the entry `form.published` says of a version."""
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
