"""Making and changing a form by a plan: its purposes and wordings with it.

Each verb locks forms, then the wordings that it may change, then purposes, each sorted, and appends once at its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError
from consentledger.organisations import fields, queries, staging
from consentledger.organisations.facts import FormField, SenderIdentity
from consentledger.organisations.forms import WriteForm, create_form, edit_form, lock_form
from consentledger.organisations.freezing import EMAIL_ONLY, FormSpec, spec_of
from consentledger.organisations.models import Form, Wording
from consentledger.organisations.service import PublishSender, stage_sender
from consentledger.organisations.staging import Staged
from consentledger.organisations.studio.boxes import Boxes, BoxPlan
from consentledger.organisations.translations import translations_of

MOST_SENDERS = 1_000


@dataclass(frozen=True, slots=True)
class FormPlan:
    """A form as a person wrote it down; `sender` is a name, a new sender's identity, or None for the only one."""

    organisation_id: UUID
    actor: str
    language: str
    boxes: tuple[BoxPlan, ...]
    sender: str | SenderIdentity | None = None
    fields: tuple[FormField, ...] = EMAIL_ONLY
    origins: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of a plan: the form's draft, and what was published or drafted for it."""

    form_id: UUID
    made: bool
    sender: str | None = None
    purposes: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    wordings: int = 0


def make_form(tx: Tx, plan: FormPlan) -> Planned:
    """Publishes what purposes and sender are new, and drafts the wordings and the form; all or nothing."""
    sender_id, legal_name, staged = _sender(tx, plan)
    boxes = Boxes(tx, plan.organisation_id, plan.actor, plan.language, sender_id, legal_name)
    boxes.write(plan.boxes)
    form_id = create_form(tx, _write(plan, sender_id, boxes)).form_id
    return _done(tx, plan, form_id, boxes, staged, made=True)


def change_form(tx: Tx, form_id: UUID, plan: FormPlan) -> Planned:
    """Replaces a form's draft by a plan; texts that changed are drafted, what is published stays as it is."""
    row = lock_form(tx, plan.organisation_id, form_id)
    sender_id, legal_name, staged = _sender(tx, plan)
    boxes = Boxes(tx, plan.organisation_id, plan.actor, plan.language, sender_id, legal_name)
    boxes.write(plan.boxes, _own_drafts(tx, row))
    edit_form(tx, form_id, _write(plan, sender_id, boxes))
    return _done(tx, plan, form_id, boxes, staged, made=False)


def translate_form(tx: Tx, first_id: UUID, plan: FormPlan) -> Planned:
    """Drafts a form's translation, or drafts it anew; all but its words is the first form's draft.

    The boxes come in the first form's order; InputError for one that it has not, or that is missing.
    """
    first = lock_form(tx, plan.organisation_id, first_id)
    if first.translation_of is not None:
        raise fields.wrong("form", "translation", "form: this is a translation itself")
    spec = spec_of(first.draft)
    legal_name = queries.sender(
        tx.session, plan.organisation_id, spec.sender_id
    ).identity.legal_name
    others = translations_of(tx.session, plan.organisation_id, first_id)
    present = next((other for other in others if other.language == plan.language), None)
    if present is not None:
        present = lock_form(tx, plan.organisation_id, present.form_id)
    boxes = Boxes(tx, plan.organisation_id, plan.actor, plan.language, spec.sender_id, legal_name)
    boxes.write(plan.boxes, _own_drafts(tx, present) if present else {})
    write = WriteForm(
        plan.organisation_id,
        replace(spec, language=plan.language, wordings=_in_order(tx, first, boxes)),
        plan.name,
        first_id,
    )
    written = create_form(tx, write) if present is None else edit_form(tx, present.form_id, write)
    return _done(tx, plan, written.form_id, boxes, [], made=present is None)


def _write(plan: FormPlan, sender_id: UUID, boxes: Boxes) -> WriteForm:
    spec = FormSpec(
        sender_id, plan.language, boxes.wordings(), plan.fields, plan.origins, plan.returns
    )
    return WriteForm(plan.organisation_id, spec, plan.name)


def _done(
    tx: Tx, plan: FormPlan, form_id: UUID, boxes: Boxes, staged: list[Staged], *, made: bool
) -> Planned:
    every = [*staged, *boxes.staged]
    if every:
        staging.append(tx, plan.organisation_id, every)
    name = plan.sender.name if staged and isinstance(plan.sender, SenderIdentity) else None
    return Planned(form_id, made, name, tuple(boxes.made), tuple(boxes.titled), boxes.drafted)


def _sender(tx: Tx, plan: FormPlan) -> tuple[UUID, str, list[Staged]]:
    """Finds the sender by name, or the only one, or stages a new one."""
    known = queries.senders(tx.session, plan.organisation_id, limit=MOST_SENDERS)
    names = ", ".join(each.identity.name for each in known) or "none"
    wanted = plan.sender.name if isinstance(plan.sender, SenderIdentity) else plan.sender
    found = [each for each in known if wanted in (None, each.identity.name, str(each.sender_id))]
    if len(found) > 1:
        ids = ", ".join(f"{each.identity.name} {each.sender_id}" for each in found)
        raise fields.wrong("sender", "ambiguous", f"sender: say which one: {ids}")
    if found and isinstance(plan.sender, SenderIdentity) and found[0].identity != plan.sender:
        raise fields.wrong(
            "sender",
            "differs",
            f"sender: {wanted} is published otherwise; write only its name, or change it by the API",
        )
    if found:
        return found[0].sender_id, found[0].identity.legal_name, []
    if isinstance(plan.sender, SenderIdentity):
        command = PublishSender(plan.organisation_id, plan.sender, plan.actor)
        try:
            row, staged = stage_sender(tx, command)
        except InputError as error:
            raise fields.wrong(f"sender.{error.field}", error.reason, f"sender: {error}") from error
        tx.session.flush()
        return row.sender_id, str(row.identity["legal_name"]), [staged]
    raise fields.wrong(
        "sender", "not_found", f"sender: there is no sender {wanted} (there is: {names})"
    )


def _own_drafts(tx: Tx, row: Form) -> dict[UUID, UUID]:
    """The wordings of a form's draft that may still change, by purpose, locked."""
    wanted = spec_of(row.draft).wordings
    query = (
        select(Wording)
        .where(
            Wording.organisation_id == row.organisation_id,
            Wording.wording_id.in_(wanted),
            Wording.published_at.is_(None),
        )
        .order_by(Wording.wording_id)
        .with_for_update()
    )
    return {found.purpose_id: found.wording_id for found in tx.session.scalars(query)}


def _in_order(tx: Tx, first: Form, boxes: Boxes) -> tuple[UUID, ...]:
    """The translation's wordings in the order of the first form's boxes."""
    written = dict(boxes.written)
    rows = tx.session.scalars(
        select(Wording).where(
            Wording.organisation_id == first.organisation_id,
            Wording.wording_id.in_(spec_of(first.draft).wordings),
        )
    )
    purposes = {row.wording_id: row.purpose_id for row in rows}
    wanted = [purposes[wording_id] for wording_id in spec_of(first.draft).wordings]
    titles = {
        found.purpose_id: found.title(first.language)
        for found in queries.purposes(tx.session, first.organisation_id, only={*wanted, *written})
    }
    for missing in (purpose_id for purpose_id in wanted if purpose_id not in written):
        raise fields.wrong("box", "missing", f"box: none for the purpose {titles[missing]}")
    for extra in (purpose_id for purpose_id in written if purpose_id not in wanted):
        raise fields.wrong("box", "unknown", f"box: the form has none for {titles[extra]}")
    return tuple(written[purpose_id] for purpose_id in wanted)
