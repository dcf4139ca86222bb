"""Evidence kept for legal claims only (GDPR art. 17(3)(e), 18): what opens it is sealed to the escrow key."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from consentledger.contacts.service import LockedContact
from consentledger.db.keystore.keys import contact_keys_from
from consentledger.db.log.entries import Draft
from consentledger.db.models import Opening
from consentledger.db.unit_of_work import Tx
from consentledger.erasure import escrow, rows
from consentledger.erasure.holds import organisations_held
from consentledger.erasure.logging import DESTROY
from consentledger.erasure.models import Erasure, Restriction
from consentledger.erasure.rules import Plan, check_text, parts_of, ranges_of
from consentledger.evidence.kept import KeptContact
from consentledger.kernel.errors import NotFoundError
from consentledger.outbox import service as outbox
from consentledger.permits.models import Permit
from consentledger.sends.models import MessageSent

KEPT, ENDING = "kept", "ending"


def restrict(tx: Tx, contact: LockedContact, plan: Plan, escrow_key: bytes, days: int) -> datetime:
    """Seals what opens a contact's entries to the escrow key, with its log.erasure; returns until when.

    In the transaction that logs, not in the one that destroys: a key store of its own forgets the key first.
    """
    assert plan.erasure_id is not None  # noqa: S101 - only a person's own erasure restricts
    org, key_id = contact.organisation_id, contact.chain.keys.key_id
    keystore = tx.log.keystore
    wrapped = keystore.wrapped_contacts(tx.connection, org, [key_id])[key_id]
    content = {
        "address": contact.address,
        "contact": str(contact.contact_id),
        "entries": list(plan.indexes),
        "key": str(key_id),
        "permits": _permits(tx, org, contact.contact_id),
        "sent": _sent(tx, org, contact.contact_id),
        "secret": b64encode(keystore.unwrap(wrapped, org, key_id.bytes)).decode("ascii"),
    }
    until_at = tx.now + timedelta(days=days)
    forget_restriction(tx, org, plan.erasure_id)  # logged anew, since entries came meanwhile
    tx.session.add(
        Restriction(
            organisation_id=org,
            erasure_id=plan.erasure_id,
            key_id=key_id,
            sealed=escrow.seal(
                json.dumps(content, sort_keys=True).encode(), escrow_key, org, plan.erasure_id
            ),
            made_at=tx.now,
            until_at=until_at,
            state=KEPT,
        )
    )
    tx.session.flush()
    return until_at


def forget_restriction(tx: Tx, organisation_id: UUID, erasure_id: UUID | None) -> None:
    """Deletes what an earlier log.erasure of the same erasure sealed."""
    rows.execute_delete(
        tx,
        delete(Restriction).where(
            Restriction.organisation_id == organisation_id, Restriction.erasure_id == erasure_id
        ),
    )


def restrictions(session: Session, organisation_id: UUID) -> list[Restriction]:
    """Reads what an organisation keeps for claims, by its end."""
    query = select(Restriction).where(Restriction.organisation_id == organisation_id)
    return list(session.scalars(query.order_by(Restriction.until_at)))


def organisations_ended(session: Session, at: datetime) -> list[UUID]:
    """Reads the organisations of which a restriction ends now; those held as a whole wait."""
    query = select(Restriction.organisation_id).where(
        Restriction.until_at <= at, Restriction.state == KEPT
    )
    return sorted(set(session.scalars(query)) - set(organisations_held(session)))


def end_restrictions(tx: Tx, organisation_id: UUID, *, limit: int = 50) -> int:
    """Appends log.erasure for restrictions whose date has come, and enqueues their destruction."""
    ended = list(
        tx.session.scalars(
            select(Restriction)
            .where(
                Restriction.organisation_id == organisation_id,
                Restriction.until_at <= tx.now,
                Restriction.state == KEPT,
            )
            .order_by(Restriction.erasure_id)
            .limit(limit)
            .with_for_update()
        )
    )
    if not ended:
        return 0
    for row in ended:
        row.state = ENDING
    tx.session.flush()
    indexes = tx.session.scalars(
        select(Opening.entry_index).where(
            Opening.organisation_id == organisation_id,
            Opening.key_id.in_([row.key_id for row in ended]),
        )
    )
    parts = parts_of(ranges_of(indexes), reason="ended")
    payload = {"plans": [], "restrictions": [str(row.erasure_id) for row in ended]}
    outbox.enqueue(tx, organisation_id, DESTROY, payload)
    drafts = [Draft("log.erasure", {}, actor="worker", plain=plain) for plain in parts]
    tx.log.append(tx, organisation_id, drafts)
    return len(ended)


def destroy_ended(tx: Tx, organisation_id: UUID, erasure_ids: Iterable[str]) -> None:
    """Destroys the openings of restrictions whose end is logged, and what was sealed."""
    for erasure_id in sorted(map(UUID, erasure_ids)):
        row = tx.session.get(Restriction, (organisation_id, erasure_id), with_for_update=True)
        if row is None:
            continue
        openings = delete(Opening).where(
            Opening.organisation_id == organisation_id, Opening.key_id == row.key_id
        )
        rows.execute_delete(tx, openings)
        forget_restriction(tx, organisation_id, erasure_id)
        tx.session.execute(
            update(Erasure)
            .where(Erasure.organisation_id == organisation_id, Erasure.erasure_id == erasure_id)
            .values(state="ended", kept_until=None),
            execution_options={"synchronize_session": False},
        )


def open_restriction(
    tx: Tx, organisation_id: UUID, erasure_id: UUID, *, private: bytes, person: str, reason: str
) -> tuple[str, KeptContact]:
    """Opens what is restricted for a named person, and appends restriction.opened; returns address and contact.

    Commit before anything of it is shown. NotFoundError when nothing is restricted under this erasure,
    IntegrityError when the key is another one's.
    """
    person, reason = check_text(person, "person", 100), check_text(reason, "reason")
    row = tx.session.get(Restriction, (organisation_id, erasure_id))
    if row is None:
        raise NotFoundError("nothing is restricted under this erasure")
    content = json.loads(escrow.open_sealed(row.sealed, private, organisation_id, erasure_id))
    values = {"erasure": str(erasure_id), "person": person, "reason": reason}
    tx.log.append(tx, organisation_id, [Draft("restriction.opened", values, actor="operator")])
    kept = KeptContact(
        UUID(content["contact"]),
        contact_keys_from(UUID(content["key"]), b64decode(content["secret"])),
        tuple(content["entries"]),
        {
            (batch, number): (verdict, b64decode(salt))
            for batch, number, verdict, salt in content["permits"]
        },
        {
            (batch, number): (b64decode(salt), _opened(message), _opened(headers))
            for batch, number, salt, message, headers in content.get("sent", ())
        },
    )
    return content["address"], kept


def _permits(tx: Tx, organisation_id: UUID, contact_id: UUID) -> Sequence[Sequence[object]]:
    """What makes a contact's permit lines again: batch, row, verdict's number, salt."""
    found = tx.session.execute(
        select(Permit.batch, Permit.row_number, Permit.verdict, Permit.salt)
        .where(Permit.organisation_id == organisation_id, Permit.contact_id == contact_id)
        .order_by(Permit.batch, Permit.row_number)
    )
    return [
        [batch, row, verdict, b64encode(salt).decode("ascii")]
        for batch, row, verdict, salt in found
    ]


def _sent(tx: Tx, organisation_id: UUID, contact_id: UUID) -> Sequence[Sequence[object]]:
    """What makes the lines of a contact's reports again: batch, row, salt, and both hashes."""
    found = tx.session.execute(
        select(
            MessageSent.batch,
            MessageSent.row_number,
            MessageSent.salt,
            MessageSent.message_hash,
            MessageSent.headers_hash,
        )
        .where(MessageSent.organisation_id == organisation_id)
        .where(MessageSent.contact_id == contact_id)
        .order_by(MessageSent.batch, MessageSent.row_number)
    )
    return [[batch, row, *map(_kept, hashes)] for batch, row, *hashes in found]


def _kept(content: bytes | None) -> str | None:
    return b64encode(content).decode("ascii") if content is not None else None


def _opened(text: str | None) -> bytes | None:
    return b64decode(text) if text is not None else None
