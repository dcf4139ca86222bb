"""When two forms say the same in two languages: pure, so that publishing and serving judge alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from consentledger.organisations.facts import FormField, FormPurpose, PublishedForm, PurposeFacts
from consentledger.organisations.rules import Gap


@dataclass(frozen=True, slots=True)
class Face:
    """All of a form but its words: what must be alike in every language."""

    sender_id: UUID
    channel: str
    purposes: tuple[UUID, ...]
    fields: tuple[FormField, ...]
    origins: tuple[str, ...]
    returns: tuple[str, ...]


def face_of(form: PublishedForm) -> Face:
    """The face of a published version."""
    return Face(
        form.sender_id,
        form.channel,
        tuple(box.purpose_id for box in form.purposes),
        form.fields,
        form.origins,
        form.returns,
    )


def differences(first: Face, other: Face) -> list[Gap]:
    """Names everything in which a translation is not what the first form is; the order of boxes counts, too."""
    gaps: list[Gap] = []
    if other.sender_id != first.sender_id:
        gaps.append(Gap("sender", "differs", "sender: the first form is another sender's"))
    if other.channel != first.channel:
        gaps.append(Gap("channel", "differs", f"channel: the first form's is {first.channel}"))
    missing = len(set(first.purposes) - set(other.purposes))
    extra = len(set(other.purposes) - set(first.purposes))
    if missing:
        gaps.append(
            Gap(
                "wordings",
                "purpose_missing",
                f"wordings: {missing} of the first form's are missing",
            )
        )
    if extra:
        gaps.append(
            Gap("wordings", "purpose_added", f"wordings: {extra} are not on the first form")
        )
    if not missing and not extra and other.purposes != first.purposes:
        gaps.append(Gap("wordings", "order", "wordings: the boxes stand in another order"))
    for name in ("fields", "origins", "returns"):
        if getattr(other, name) != getattr(first, name):
            gaps.append(Gap(name, "differs", f"{name}: not the same as the first form's"))
    return gaps


def title_gaps(purposes: Sequence[PurposeFacts], language: str) -> list[Gap]:
    """Names each purpose that has no title in a language: another language's would stand over its box."""
    short = language.split("-")[0]
    return [
        Gap(
            "wordings",
            "purpose_title_missing",
            f"wordings: the purpose {purpose.title(language)} has no title in {language}",
        )
        for purpose in purposes
        if language not in purpose.titles and short not in purpose.titles
    ]


def warnings(language: str, spoken: Collection[str]) -> list[Gap]:
    """Says when our own sentences around a form are not available in its language."""
    if language.split("-")[0] in spoken:
        return []
    return [
        Gap(
            "language",
            "our_sentences",
            f"language: buttons, errors and the mail around the form are not available in {language}, "
            "they come in English",
        )
    ]


def untranslated(first: Sequence[FormPurpose], other: Sequence[FormPurpose]) -> list[Gap]:
    """Says which boxes still have the first form's own words."""
    words = {box.purpose_id: box.statement for box in first}
    return [
        Gap(
            "wordings",
            "untranslated",
            f"wordings: the text of {box.title} is still the first form’s",
        )
        for box in other
        if words.get(box.purpose_id) == box.statement
    ]


def fits(wanted: str, available: Collection[str]) -> str | None:
    """The language to serve for a wanted tag: exactly it, else its primary language; None when there is none."""
    known = {tag.lower(): tag for tag in available}
    found = wanted.replace("_", "-").lower()
    return known.get(found) or known.get(found.split("-")[0])
