"""From the boxes that a person wrote down to purposes and wordings: what there is already is used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, InputError
from consentledger.organisations import fields
from consentledger.organisations.channels import fold
from consentledger.organisations.facts import PurposeFacts
from consentledger.organisations.fields import wrong
from consentledger.organisations.models import Purpose, Wording
from consentledger.organisations.purposes import PublishPurpose, stage_purpose
from consentledger.organisations.queries import purpose_facts
from consentledger.organisations.staging import Staged
from consentledger.organisations.wordings import (
    WordingText,
    WriteWording,
    content_of,
    create_wording,
    edit_wording,
)


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """One box as a person wrote it down.

    `purpose` is the title or the id of a purpose that there is; None: the one called `title`, made when there is
    none. Without controllers the sender is the only one. None for class and categories: as they are.
    """

    title: str
    text: WordingText
    purpose: str | None = None
    purpose_class: str | None = None
    categories: tuple[str, ...] | None = None


class Boxes:
    """The boxes of one form in one language, being written; `staged` waits for the append."""

    def __init__(
        self,
        tx: Tx,
        organisation_id: UUID,
        actor: str,
        language: str,
        sender_id: UUID,
        legal_name: str,
    ) -> None:
        self._tx, self._organisation_id, self._actor = tx, organisation_id, actor
        self._language = fields.language(language)
        self._sender_id, self._legal_name = sender_id, legal_name
        self.staged: list[Staged] = []
        self.written: list[tuple[UUID, UUID]] = []
        self.made: list[str] = []
        self.titled: list[str] = []
        self.drafted = 0

    def wordings(self) -> tuple[UUID, ...]:
        """The wordings in the order of the boxes."""
        return tuple(wording_id for _, wording_id in self.written)

    def write(self, boxes: Sequence[BoxPlan], drafts: Mapping[UUID, UUID] | None = None) -> None:
        """Finds or makes each box's purpose and wording; `drafts` are wordings that may be changed in place."""
        # All purposes are locked, in their order: two people writing the same title at once would make it twice.
        query = (
            select(Purpose)
            .where(Purpose.organisation_id == self._organisation_id)
            .order_by(Purpose.purpose_id)
            .with_for_update()
        )
        known = [purpose_facts(row) for row in self._tx.session.scalars(query)]
        for number, box in enumerate(boxes, 1):
            try:
                purpose_id = self._purpose(box, known)
                wording_id = self._wording(box, purpose_id, (drafts or {}).get(purpose_id))
            except (InputError, ConflictError) as error:
                field, reason = (
                    getattr(error, "field", "title"),
                    getattr(error, "reason", "conflict"),
                )
                raise wrong(
                    f"box.{number}.{field}", reason, f"box {number} ({box.title}): {error}"
                ) from error
            self.written.append((purpose_id, wording_id))

    def _purpose(self, box: BoxPlan, known: list[PurposeFacts]) -> UUID:
        found = _named(box, known)
        if found is None:
            titles = {self._language: box.title}
            made = PublishPurpose(self._organisation_id, titles, self._actor)
            if box.purpose_class is not None:
                made = replace(made, purpose_class=box.purpose_class)
            row, staged = stage_purpose(self._tx, replace(made, categories=box.categories or ()))
            self.staged.append(staged)
            self.made.append(box.title)
            known.append(purpose_facts(row))
            return row.purpose_id
        _check_same(box, found)
        own = found.titles.get(self._language) or found.titles.get(self._language.split("-")[0])
        return found.purpose_id if own == box.title else self._titled(box, found)

    def _titled(self, box: BoxPlan, found: PurposeFacts) -> UUID:
        """Gives a purpose its title in this language; one that people have seen in a wording stays as it is."""
        command = PublishPurpose(
            self._organisation_id,
            {**found.titles, self._language: box.title},
            self._actor,
            found.purpose_class,
            found.channels,
            found.categories,
            found.purpose_id,
        )
        try:
            _, staged = stage_purpose(self._tx, command)
        except ConflictError as error:
            own = found.title(self._language)
            raise wrong("title", "differs", f"title: people agreed to it as {own}") from error
        self.staged.append(staged)
        self.titled.append(box.title)
        return found.purpose_id

    def _wording(self, box: BoxPlan, purpose_id: UUID, draft: UUID | None) -> UUID:
        text = (
            box.text if box.text.controllers else replace(box.text, controllers=(self._legal_name,))
        )
        content = content_of(text)
        rows = self._tx.session.scalars(
            select(Wording)
            .where(
                Wording.organisation_id == self._organisation_id,
                Wording.sender_id == self._sender_id,
                Wording.purpose_id == purpose_id,
                Wording.language == self._language,
            )
            .order_by(Wording.published_at.is_(None), Wording.wording_id.desc())
        )
        for row in rows:
            if row.content == content:
                return row.wording_id
        command = WriteWording(
            self._organisation_id, self._sender_id, purpose_id, self._language, text
        )
        self.drafted += 1
        if draft is None:
            made = create_wording(self._tx, command)
            self._tx.session.flush()
            return made
        edit_wording(self._tx, draft, command)
        self._tx.session.flush()
        return draft


def _named(box: BoxPlan, known: Sequence[PurposeFacts]) -> PurposeFacts | None:
    wanted = box.purpose or box.title
    found = [
        each
        for each in known
        if wanted == str(each.purpose_id)
        or fold(wanted) in {fold(title) for title in each.titles.values()}
    ]
    if len(found) > 1:
        ids = ", ".join(str(each.purpose_id) for each in found)
        raise wrong("purpose", "ambiguous", f"purpose: several are called so, name the id: {ids}")
    if not found and box.purpose is not None:
        titles = ", ".join(next(iter(each.titles.values())) for each in known) or "none"
        raise wrong("purpose", "not_found", f"purpose: no {wanted} (there is: {titles})")
    return found[0] if found else None


def _check_same(box: BoxPlan, found: PurposeFacts) -> None:
    if box.purpose_class not in (None, found.purpose_class):
        raise wrong("class", "differs", f"class: this purpose’s is {found.purpose_class}")
    if box.categories is not None and set(box.categories) != set(found.categories):
        now = ", ".join(found.categories) or "none"
        raise wrong("categories", "differs", f"categories: this purpose’s are {now}")
