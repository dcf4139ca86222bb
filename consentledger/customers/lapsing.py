"""Lets recorded grounds lapse: taken back by the organisation, or ended on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update

from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.contacts.service import LockedContact
from consentledger.customers import queries, rules
from consentledger.customers.batch import MOST_GAPS, Batch, append_batch, gap_of, read_rows
from consentledger.customers.commands import LapseCustomers, LapseRow, Refusal, RowOutcome, RowsDone
from consentledger.customers.models import CustomerRecord
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.ledger.disclosure import Value
from consentledger.organisations.rules import Gap, GapsError

UNKNOWN = Refusal("reference", "unknown", "there is no such record")
_MOVE = (
    update(CustomerRecord.__table__)  # type: ignore[arg-type]
    .where(
        CustomerRecord.organisation_id == bindparam("record_organisation"),
        CustomerRecord.customer_id == bindparam("record_customer"),
    )
    .values(
        state=bindparam("record_state"),
        ended_on=bindparam("record_ended_on"),
        changed_at=bindparam("record_at"),
        entry_number=bindparam("record_number"),
    )
)


def lapse_customers(tx: Tx, command: LapseCustomers) -> RowsDone:
    """Lets records lapse: taken back, or ended on a day; all rows or none.

    GapsError names the rows that are amiss or name no record; a record that was taken back stays so (`repeated`).
    """
    org = command.organisation_id

    def read(values: Mapping[str, Any]) -> LapseRow | list[Refusal]:
        return rules.read_lapse(values, now=tx.now)

    good, outcomes = read_rows(command.rows, read)
    found = _known(tx, org, good.values())
    known = queries.named(tx.connection, org, [one.contact_id for one in found.values()])
    keys, batch = contacts.organisation_keys(tx, org), Batch()
    moved: list[dict[str, Any]] = []
    gaps: list[Gap] = []
    for number, row in good.items():
        contact = found.get(addresses.fold(row.address))
        hashed = queries.reference_hash(keys, row.reference)
        name = (contact.contact_id, row.channel, hashed) if contact else None
        wrong = _wrong(row, known.get(name) if name else None)
        if contact is None or name is None or wrong is not None:
            gaps.append(gap_of(number, wrong or UNKNOWN))
            continue
        customer_id, trigger, state = known[name]
        if state == "lapsed":
            outcomes[number] = RowOutcome(number, "repeated", customer_id)
            continue
        known[name] = (customer_id, trigger, "ended" if row.ended_on else "lapsed")
        entry_number = batch.add(contact, _draft(command, row, customer_id, contact), number)
        moved.append(_moved(tx, org, row, customer_id, entry_number))
        outcomes[number] = RowOutcome(number, "lapsed", customer_id)
    if gaps:
        raise GapsError(gaps[:MOST_GAPS])
    if moved:
        tx.connection.execute(_MOVE, moved)
    return append_batch(tx, org, batch, found, outcomes)


def _wrong(row: LapseRow, known: tuple[UUID, str, str] | None) -> Refusal | None:
    if known is None:
        return UNKNOWN
    if row.reason == "ended" and known[1] != "ongoing_relationship":
        return Refusal("reason", "unfitting", "only an ongoing_relationship ends")
    return None


def _known(tx: Tx, organisation_id: UUID, rows: Iterable[LapseRow]) -> dict[str, LockedContact]:
    """Locks the contacts that these rows name, by folded address; nobody is made of an unknown one."""
    ids = queries.contacts_of_addresses(
        tx.connection, contacts.organisation_keys(tx, organisation_id), organisation_id,
        [row.address for row in rows],
    )  # fmt: skip
    locked = contacts.lock(tx, organisation_id, ids.values())
    return {folded: locked[one] for folded, one in ids.items() if one in locked}


def _moved(
    tx: Tx, organisation_id: UUID, row: LapseRow, customer_id: UUID, entry_number: int
) -> dict[str, Any]:
    return {
        "record_organisation": organisation_id,
        "record_customer": customer_id,
        "record_state": "ended" if row.ended_on else "lapsed",
        "record_ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "record_at": tx.now,
        "record_number": entry_number,
    }


def _draft(
    command: LapseCustomers, row: LapseRow, customer_id: UUID, contact: LockedContact
) -> Draft:
    values: dict[str, Value] = {
        "customer": str(customer_id),
        "channel": row.channel,
        "reason": row.reason,
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
    }
    return Draft("customer.lapsed", values, actor=command.actor, chain=contact.chain)
