"""Publishing by the form studio: a form with the wordings that wait for it, and new origins in every language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.organisations import addresses, freezing, queries, rules, staging, translations
from consentledger.organisations.fields import wrong
from consentledger.organisations.forms import PublishForm, lock_form, stage_form
from consentledger.organisations.freezing import FormSpec, spec_of
from consentledger.organisations.models import Form, Wording
from consentledger.organisations.rules import Gap, GapsError
from consentledger.organisations.staging import Staged
from consentledger.organisations.translations import Completeness
from consentledger.organisations.wordings import MAX_PURPOSES, PublishWording, stage_wording


@dataclass(frozen=True, slots=True)
class PublishedWhole:
    """What was published: the form's version, how many wordings with it, and the languages left behind."""

    form_id: UUID
    version: int
    wordings: int
    behind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeOrigins:
    """Origins and return addresses to add to a form and to take from it, in every language."""

    organisation_id: UUID
    form_id: UUID
    actor: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    add_returns: tuple[str, ...] = ()
    remove_returns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OriginsChanged:
    """What the form's draft lists now; `published` are the languages whose served version does too."""

    origins: tuple[str, ...]
    returns: tuple[str, ...]
    published: tuple[str, ...]
    waiting: tuple[str, ...]


def publish_whole(tx: Tx, command: PublishForm) -> PublishedWhole:
    """Publishes a form's draft and the drafts of its wordings in one append; GapsError names all that is missing."""
    row = lock_form(tx, command.organisation_id, command.form_id)
    staged: list[Staged] = []
    gaps: list[Gap] = []
    for wording in _drafts(tx, row):
        publish = PublishWording(row.organisation_id, wording.wording_id, command.actor)
        try:
            staged.append(stage_wording(tx, publish)[1])
        except GapsError as error:
            gaps += _of_box(tx.session, wording, error.gaps)
    rules.refuse(gaps)
    row, version = stage_form(tx, command)
    behind = translations.behind(tx.session, row)
    staging.append(tx, row.organisation_id, [*staged, version])
    return PublishedWhole(row.form_id, row.version, len(staged), behind)


def lacking(session: Session, organisation_id: UUID, said: Completeness) -> list[Gap]:
    """Names what a form lacks before `publish_whole` can publish it: a drafted wording only lacks what it lacks."""
    own = (gap for gap in said.gaps if (gap.field, gap.reason) != ("wordings", "not_published"))
    return [*wording_gaps(session, organisation_id, said.form_id), *own]


def wording_gaps(session: Session, organisation_id: UUID, form_id: UUID) -> list[Gap]:
    """Names what the drafts of a form's wordings lack, each with its box."""
    form = queries.form(session, organisation_id, form_id)
    others = queries.purposes(session, organisation_id, limit=MAX_PURPOSES)
    found: list[Gap] = []
    for wording in freezing.wordings_of(session, organisation_id, spec_of(form.draft).wordings):
        if wording.published_at is None:
            sender = queries.sender(session, organisation_id, wording.sender_id).identity
            purpose = queries.purpose(session, organisation_id, wording.purpose_id)
            title = purpose.title(wording.language)
            gaps = rules.wording_gaps(wording, purpose, sender, others)
            found += [replace(gap, message=f"box {title}: {gap.message}") for gap in gaps]
    return found


def change_origins(tx: Tx, command: ChangeOrigins) -> OriginsChanged:
    """Changes where a form may stand, in all its languages at once.

    A language whose served version differs from its draft by nothing else is published anew; of any other only the
    draft changes, since nobody asked to publish the rest of it.
    """
    rows = _all_languages(tx, command)
    first = spec_of(rows[0].draft)
    origins = _changed(
        first.origins, command.add, command.remove, addresses.form_origins, "origins"
    )
    returns = _changed(
        *(first.returns, command.add_returns, command.remove_returns),
        addresses.form_returns,
        "returns",
    )
    staged: list[Staged] = []
    published: list[str] = []
    for row in rows:
        spec = spec_of(row.draft)
        clean = row.state == "published" and spec == _served(tx.session, row)
        row.draft = {**row.draft, "origins": list(origins), "returns": list(returns)}
        if not clean or (spec.origins, spec.returns) == (origins, returns):
            continue
        tx.session.flush()
        try:
            publish = PublishForm(row.organisation_id, row.form_id, command.actor)
            staged.append(stage_form(tx, publish)[1])
        except GapsError:
            continue  # a translation that is behind already: `form check` says why
        published.append(row.language)
    if staged:
        staging.append(tx, command.organisation_id, staged)
    waiting = tuple(row.language for row in rows if not _lists(tx.session, row, origins, returns))
    return OriginsChanged(origins, returns, tuple(published), waiting)


def _drafts(tx: Tx, row: Form) -> list[Wording]:
    query = (
        select(Wording)
        .where(
            Wording.organisation_id == row.organisation_id,
            Wording.wording_id.in_(spec_of(row.draft).wordings),
            Wording.published_at.is_(None),
        )
        .order_by(Wording.wording_id)
        .with_for_update()
    )
    return list(tx.session.scalars(query))


def _of_box(session: Session, wording: Wording, gaps: Sequence[Gap]) -> list[Gap]:
    purpose = queries.purpose(session, wording.organisation_id, wording.purpose_id)
    title = purpose.title(wording.language)
    return [replace(gap, message=f"box {title}: {gap.message}") for gap in gaps]


def _all_languages(tx: Tx, command: ChangeOrigins) -> list[Form]:
    """The first form and its translations, locked in the order of their ids, the first form at the front."""
    query = (
        select(Form)
        .where(
            Form.organisation_id == command.organisation_id,
            (Form.form_id == command.form_id) | (Form.translation_of == command.form_id),
        )
        .order_by(Form.form_id)
        .with_for_update()
    )
    rows = list(tx.session.scalars(query))
    first = next((row for row in rows if row.form_id == command.form_id), None)
    if first is None or first.translation_of is not None:
        raise wrong("form", "translation", "form: name the first form, not a translation")
    return [first, *(row for row in rows if row is not first)]


def _changed(
    now: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    read: Callable[[Sequence[str]], tuple[str, ...]],
    field: str,
) -> tuple[str, ...]:
    gone = set(read(remove))
    for missing in sorted(gone - set(now)):
        raise InputError(f"{field}: {missing} is not on the list", field=field, reason="not_found")
    return read((*(each for each in now if each not in gone), *add))


def _served(session: Session, row: Form) -> FormSpec:
    version = queries.form_version(session, row.organisation_id, row.form_id, row.version)
    return FormSpec(
        sender_id=version.sender_id,
        language=version.language,
        wordings=tuple(box.wording_id for box in version.purposes),
        fields=version.fields,
        origins=version.origins,
        returns=version.returns,
        channel=version.channel,
    )


def _lists(session: Session, row: Form, origins: tuple[str, ...], returns: tuple[str, ...]) -> bool:
    if row.version == 0:
        return False
    served = _served(session, row)
    return (served.origins, served.returns) == (origins, returns)
