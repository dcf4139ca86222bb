"""The state's rows as they are stored, for many contacts at once, in the shape that a replay gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from consentledger.consents.models import ConfirmationMail, Consent, ConsentRequest
from consentledger.contacts.models import Contact, LinkUse, Suppression
from consentledger.customers.models import CustomerRecord
from consentledger.db.base import Base
from consentledger.organisations.models import (
    AdoptedPack,
    CategoryTreeRow,
    Form,
    FormVersion,
    Organisation,
    Purpose,
    Sender,
    Wording,
)
from consentledger.permits.models import PermitBatch, PermitVoid
from consentledger.replay.model import Key, Tables
from consentledger.sends.models import MessageBatch

PART = 500
# Tables whose rows a contact's entries give, found by their contact.
OWNED: dict[str, type[Base]] = {
    "contact": Contact,
    "consent": Consent,
    "consent_request": ConsentRequest,
    "confirmation_mail": ConfirmationMail,
    "customer_record": CustomerRecord,
}
# Tables whose rows they give too, found by their keys.
KEYED: dict[str, type[Base]] = {"link_use": LinkUse, "suppression": Suppression}
_FOUND_BY = {
    "link_use": ("capability", "link_id"),
    "message_batch": ("batch",),
    "permit_batch": ("batch",),
    "suppression": ("hash",),
}
PUBLISHED: dict[str, type[Base]] = {
    "organisation": Organisation,
    "sender": Sender,
    "purpose": Purpose,
    "wording": Wording,
    "form": Form,
    "form_version": FormVersion,
    "adopted_pack": AdoptedPack,
    "category_tree": CategoryTreeRow,
    "permit_batch": PermitBatch,
    "permit_void": PermitVoid,
    "message_batch": MessageBatch,
}
MODELS = OWNED | KEYED | PUBLISHED


def table_of(name: str) -> Any:
    """Returns the table of a name."""
    return MODELS[name].__table__


def key_columns(name: str) -> list[str]:
    """Returns a table's key without the organisation, which is the same for all."""
    return [one.name for one in table_of(name).primary_key if one.name != "organisation_id"]


def among(session: Session, column: Any, values: Sequence[Any]) -> Any:
    """Returns the condition that a column has one of these values, by one parameter on PostgreSQL.

    Of a long list of parameters its planner expects so many rows, on a table without statistics, that it reads
    the whole table and compares each with each.
    """
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(values)
    given = bindparam(None, list(values), type_=ARRAY(column.type))
    return column == any_(given)


def rows_of_contacts(
    session: Session, organisation_id: UUID, contact_ids: Sequence[UUID]
) -> Tables:
    """Reads what is stored of these contacts."""
    found = Tables()
    for start in range(0, len(contact_ids), PART):
        part = list(contact_ids[start : start + PART])
        for name in OWNED:
            table = table_of(name)
            query = select(table).where(
                table.c.organisation_id == organisation_id,
                among(session, table.c.contact_id, part),
            )
            _read(session, found, name, query)
    return found


def rows_by_key(
    session: Session, organisation_id: UUID, name: str, keys: Collection[Key]
) -> Tables:
    """Reads the rows of one table that begin with these keys' first columns."""
    found, table = Tables(), table_of(name)
    *fixed, last = _FOUND_BY[name]
    groups: dict[Key, set[Any]] = {}
    for key in keys:
        groups.setdefault(key[: len(fixed)], set()).add(key[len(fixed)])
    # One list of one column each: rows of several columns make PostgreSQL compare each with each.
    for given, values in groups.items():
        wanted = sorted(values)
        for start in range(0, len(wanted), PART):
            query = select(table).where(
                table.c.organisation_id == organisation_id,
                *(table.c[one] == value for one, value in zip(fixed, given, strict=True)),
                among(session, table.c[last], wanted[start : start + PART]),
            )
            _read(session, found, name, query)
    return found


def all_rows(session: Session, organisation_id: UUID, names: Iterable[str]) -> Tables:
    """Reads all rows of small tables."""
    found = Tables()
    for name in names:
        table = table_of(name)
        query = select(table).where(table.c.organisation_id == organisation_id)
        found.rows.setdefault(name, {})
        _read(session, found, name, query)
    return found


def _read(session: Session, found: Tables, name: str, query: Any) -> None:
    result = session.execute(query)
    names = list(result.keys())
    keys = [names.index(column) for column in key_columns(name)]
    others = [
        (at, one) for at, one in enumerate(names) if at not in keys and one != "organisation_id"
    ]
    for row in result:
        found.put(name, tuple([row[at] for at in keys]), {one: row[at] for at, one in others})
