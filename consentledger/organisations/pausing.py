"""Verbs for forms that pause themselves: while paused a form takes no sign-ups, mailed links work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import ConflictError
from consentledger.organisations.forms import FormAnswer, PublishForm, lock_form, serve
from consentledger.organisations.models import Form


@dataclass(frozen=True, slots=True)
class PauseForm:
    """Which form to pause and why: of `mailed` requests asked since `counted_from` only `confirmed` were.

    `counted_from` is what the form said when they were counted: one that was resumed since then goes on.
    """

    organisation_id: UUID
    form_id: UUID
    counted_from: datetime | None
    reason: str
    mailed: int
    confirmed: int
    actor: str = "worker"


@dataclass(frozen=True, slots=True)
class FormPaused:
    """A form that has just paused, for those who are told."""

    organisation_id: UUID
    form_id: UUID
    version: int
    reason: str
    mailed: int
    confirmed: int
    at: datetime


def pause_form(tx: Tx, command: PauseForm, tell: Callable[[FormPaused], None]) -> bool:
    """Pauses a served form (`configuration.changed`); False when it is not served or was resumed since.

    `tell` is called under the form's lock, before the append: what it enqueues commits with the pause.
    """
    row = lock_form(tx, command.organisation_id, command.form_id)
    if row.state != "published" or row.counted_from != command.counted_from:
        return False
    row.state = "paused"
    row.paused = {
        "reason": command.reason,
        "at": to_text(tx.now),
        "mailed": command.mailed,
        "confirmed": command.confirmed,
    }
    tx.session.flush()
    tell(
        FormPaused(
            command.organisation_id,
            command.form_id,
            row.version,
            command.reason,
            command.mailed,
            command.confirmed,
            tx.now,
        )
    )
    why = f"{command.reason}: {command.confirmed} of {command.mailed} confirmed"
    drafts = [
        _draft(row, "state", "paused", command.actor),
        _draft(row, "paused", why, command.actor),
    ]
    tx.log.append(tx, row.organisation_id, drafts)
    return True


def resume_form(tx: Tx, command: PublishForm) -> FormAnswer:
    """Serves a paused form again (`configuration.changed`); ConflictError for one that is not paused.

    What was asked before pauses it no more.
    """
    row = lock_form(tx, command.organisation_id, command.form_id)
    if row.state != "paused":
        raise ConflictError("this form is not paused")
    serve(row, tx.now)
    tx.session.flush()
    tx.log.append(tx, row.organisation_id, [_draft(row, "state", "published", command.actor)])
    return FormAnswer(row.form_id, row.state, row.version)


def _draft(row: Form, setting: str, value: str, actor: str) -> Draft:
    values = {"setting": f"form.{row.form_id}.{setting}", "value": value}
    return Draft("configuration.changed", values, actor=actor)
