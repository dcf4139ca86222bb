"""The rows that an act changes, as writes that are made once and joined into one round trip.

Consents' rows follow the standing, which follows the entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, Update, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from consentledger.consents.models import ConfirmationMail, Consent, ConsentRequest
from consentledger.contacts.service import LockedContact
from consentledger.contacts.together import Write
from consentledger.db.log.entries import Draft
from consentledger.kernel.clock import from_text

_KEPT = ("request_id", "wording_id", "link_id", "confirmed_at")
_MOVED = ("state", "changed_at", "entry_number")


def consent_writes(
    engine: str,
    contact: LockedContact,
    first: int,
    drafts: Sequence[Draft],
    link_id: bytes | None = None,
) -> list[Write]:
    """Returns the writes of every consent that an entry from number `first` on changed.

    The contact's standing has been moved on by `drafts` (contacts.service.record); `link_id` is the confirm
    link that a confirmation came by; `engine` the database's name.
    """
    changed = [
        (key, item) for key, item in contact.standing["consents"].items() if item["n"] >= first
    ]
    confirmations = {
        draft.values["consent"]: draft for draft in drafts if draft.kind == "consent.confirmed"
    }
    writes = []
    for n, (key, item) in enumerate(sorted(changed, key=lambda pair: str(pair[1]["id"]))):
        moved = {
            "consent_id": UUID(item["id"]),
            "state": item["state"],
            "changed_at": from_text(item["at"]),
            "entry_number": item["n"],
        }
        confirmation = confirmations.get(item["id"])
        statement: Insert | Update
        if confirmation is None or item["state"] != "confirmed":
            statement = _move(n)
            moved["organisation_id"] = contact.organisation_id
        else:
            statement = _upsert(engine, n)
            moved |= _born(contact, key, item, confirmation, link_id)
        values = {f"consent{n}_{name}": value for name, value in moved.items()}
        writes.append(Write(f"consent{n}", statement, values))
    return writes


def _born(
    contact: LockedContact,
    key: str,
    item: Mapping[str, Any],
    confirmation: Draft,
    link_id: bytes | None,
) -> dict[str, Any]:
    sender, purpose, channel = key.split("/", 2)
    return {
        "organisation_id": contact.organisation_id,
        "contact_id": contact.contact_id,
        "sender_id": UUID(sender),
        "purpose_id": UUID(purpose),
        "channel": channel,
        "request_id": UUID(str(confirmation.values["request"])),
        "wording_id": UUID(str(confirmation.values["wording_id"])),
        "link_id": link_id,
        "confirmed_at": from_text(item["at"]),
    }


@cache
def _upsert(engine: str, n: int) -> Insert:
    insert = sqlite.insert if engine == "sqlite" else postgresql.insert
    table: Any = Consent.__table__
    made = insert(table).values({c.name: bindparam(f"consent{n}_{c.name}") for c in table.columns})
    return made.on_conflict_do_update(
        index_elements=["organisation_id", "consent_id"],
        set_={name: made.excluded[name] for name in (*_MOVED, *_KEPT)},
    )


@cache
def _move(n: int) -> Update:
    return (
        update(Consent.__table__)  # type: ignore[arg-type]
        .where(
            Consent.organisation_id == bindparam(f"consent{n}_organisation_id"),
            Consent.consent_id == bindparam(f"consent{n}_consent_id"),
        )
        .values({name: bindparam(f"consent{n}_{name}") for name in _MOVED})
    )


def request_write(
    n: int, organisation_id: UUID, request_id: UUID, values: Mapping[str, Any]
) -> Write:
    """Returns the write of some columns of one request, the n-th of its transaction."""
    named = {f"request{n}_{name}": value for name, value in values.items()}
    keys = {f"request{n}_organisation": organisation_id, f"request{n}_id": request_id}
    return Write(f"request{n}", _request(n, tuple(sorted(values))), named | keys)


@cache
def _request(n: int, columns: tuple[str, ...]) -> Update:
    return (
        update(ConsentRequest.__table__)  # type: ignore[arg-type]
        .where(
            ConsentRequest.organisation_id == bindparam(f"request{n}_organisation"),
            ConsentRequest.request_id == bindparam(f"request{n}_id"),
        )
        .values({name: bindparam(f"request{n}_{name}") for name in columns})
    )


_MAIL = (
    update(ConfirmationMail.__table__)  # type: ignore[arg-type]
    .where(
        ConfirmationMail.organisation_id == bindparam("mail_organisation"),
        ConfirmationMail.link_id == bindparam("mail_link"),
    )
    .values(state=bindparam("mail_state"))
)


def mail_write(organisation_id: UUID, link_id: bytes, state: str) -> Write:
    """Returns the write of a confirmation mail's state: open, used, declined or expired."""
    values = {"mail_organisation": organisation_id, "mail_link": link_id, "mail_state": state}
    return Write("mail", _MAIL, values)
