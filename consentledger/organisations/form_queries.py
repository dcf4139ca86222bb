"""Reads of forms: a form's id alone finds its organisation, in one statement."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from consentledger.kernel.errors import NotFoundError, PausedError
from consentledger.organisations import facts
from consentledger.organisations.models import Form, FormVersion, Organisation, Sender


def form(session: Session, organisation_id: UUID, form_id: UUID) -> facts.FormFacts:
    """Reads a form as its owner sees it; NotFoundError when this organisation has none such."""
    row = session.scalar(
        select(Form).where(Form.organisation_id == organisation_id, Form.form_id == form_id)
    )
    if row is None:
        raise NotFoundError("there is no such form")
    return _form(row)


def forms(
    session: Session, organisation_id: UUID, *, after: UUID | None = None, limit: int = 100
) -> list[facts.FormFacts]:
    """Reads an organisation's forms in the order of their ids, from behind `after`."""
    query = select(Form).where(Form.organisation_id == organisation_id)
    if after is not None:
        query = query.where(Form.form_id > after)
    return [_form(row) for row in session.scalars(query.order_by(Form.form_id).limit(limit))]


def _form(row: Form) -> facts.FormFacts:
    return facts.FormFacts(
        organisation_id=row.organisation_id,
        form_id=row.form_id,
        state=row.state,
        version=row.version,
        draft=row.draft,
        created_at=row.created_at,
        name=row.name,
        translation_of=row.translation_of,
        paused=row.paused,
    )


# The states of a form that people may meet: a paused one says that it is.
_THERE = ("published", "paused")
_IS_SERVED = and_(
    FormVersion.organisation_id == Form.organisation_id,
    FormVersion.form_id == Form.form_id,
    FormVersion.version == Form.version,
)
_FORMS = (
    select(
        FormVersion,
        Organisation.number,
        Organisation.name,
        Organisation.ip_policy,
        Organisation.request_days,
        Sender.link_host,
        Organisation.disposable_policy,
        Organisation.role_policy,
    )
    .join(Organisation, Organisation.organisation_id == FormVersion.organisation_id)
    .join(
        Sender,
        (Sender.organisation_id == FormVersion.organisation_id)
        & (Sender.sender_id == FormVersion.sender_id),
    )
)


def published_form(session: Session, form_id: UUID) -> facts.PublishedForm:
    """Reads the served version of a form by the form's id alone, in one statement.

    A form that is a draft, was unpublished or never was raises NotFoundError (never told apart), one that is
    paused PausedError.
    """
    row = session.execute(
        _FORMS.add_columns(Form.state)
        .join(Form, _IS_SERVED)
        .where(Form.form_id == form_id, Form.state.in_(_THERE))
    ).one_or_none()
    return _published(*_served(row)[:-1])


def _served(row: Any) -> Any:
    if row is None:
        raise NotFoundError("there is no such form")
    if row.state == "paused":
        raise PausedError("this form takes no sign-ups for the moment")
    return row


_STAMP = (
    select(
        Form.organisation_id,
        Form.version,
        Organisation.name,
        Organisation.ip_policy,
        Organisation.request_days,
        Sender.link_host,
        Organisation.disposable_policy,
        Organisation.role_policy,
        Form.state,
    )
    .join(Organisation, Organisation.organisation_id == Form.organisation_id)
    .join(FormVersion, _IS_SERVED)
    .join(
        Sender,
        (Sender.organisation_id == Form.organisation_id)
        & (Sender.sender_id == FormVersion.sender_id),
    )
    .where(Form.form_id == bindparam("form_id"), Form.state.in_(_THERE))
)


def form_stamp(session: Session, form_id: UUID) -> tuple[Any, ...]:
    """Reads the little that may change of a served form: what is cached under another stamp is stale.

    Raises as `published_form` does.
    """
    row = session.connection().execute(_STAMP, {"form_id": form_id}).one_or_none()
    return tuple(_served(row))


def framing_origins(session: Session, form_id: UUID) -> tuple[str, ...]:
    """Reads whose pages may show a form that is served or paused; () when there is no such form."""
    content = session.scalar(
        select(FormVersion.content)
        .join(Form, _IS_SERVED)
        .where(Form.form_id == form_id, Form.state.in_(_THERE))
    )
    return tuple(content["origins"]) if content is not None else ()


def form_version(
    session: Session, organisation_id: UUID, form_id: UUID, version: int
) -> facts.PublishedForm:
    """Reads one version of a form, served or not (what a person saw stays readable)."""
    row = session.execute(
        _FORMS.where(
            FormVersion.organisation_id == organisation_id,
            FormVersion.form_id == form_id,
            FormVersion.version == version,
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("there is no such version of the form")
    return _published(*row)


def _published(
    row: FormVersion,
    number: int,
    name: str,
    ip_policy: str,
    days: int,
    link_host: str | None,
    disposable: str,
    role: str,
) -> facts.PublishedForm:
    content: dict[str, Any] = row.content
    return facts.PublishedForm(
        organisation_id=row.organisation_id,
        organisation_number=number,
        organisation_name=name,
        ip_policy=ip_policy,
        request_days=days,
        form_id=row.form_id,
        version=row.version,
        sender_id=row.sender_id,
        sender_version=content["sender_version"],
        sender=facts.SenderIdentity(**content["sender"]),
        link_host=link_host,
        language=row.language,
        channel=content["channel"],
        fields=tuple(facts.FormField(**item) for item in content["fields"]),
        purposes=tuple(_box(item) for item in content["purposes"]),
        origins=tuple(content["origins"]),
        returns=tuple(content["returns"]),
        text=_blob_value(content["text"]),
        notice=_blob_value(content["notice"]),
        published_at=row.published_at,
        address_policy=facts.AddressPolicy(disposable, role),
    )


def _box(item: dict[str, Any]) -> facts.FormPurpose:
    return facts.FormPurpose(
        **{
            **item,
            "purpose_id": UUID(item["purpose_id"]),
            "wording_id": UUID(item["wording_id"]),
            "controllers": tuple(item["controllers"]),
        }
    )


def _blob_value(value: list[Any]) -> facts.BlobValue:
    algorithm, digest, length, media_type = value
    return algorithm, digest, length, media_type
