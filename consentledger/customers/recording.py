"""Records sales and negotiations: what the existing-customer exception rests on, with its evidence per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.contacts.many import upsert_many
from consentledger.contacts.rules import EVERYTHING
from consentledger.contacts.service import LockedContact
from consentledger.contacts.suppression import refusals
from consentledger.customers import queries, rules
from consentledger.customers.batch import Batch, append_batch, read_rows
from consentledger.customers.commands import (
    CustomerRow,
    RecordCustomers,
    Refusal,
    RowOutcome,
    RowsDone,
)
from consentledger.customers.models import CustomerRecord
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.ids import uuid7
from consentledger.ledger.disclosure import Value
from consentledger.organisations import fields
from consentledger.organisations.queries import organisation
from consentledger.organisations.shown import stored_blob, value_of

_INSERT = insert(CustomerRecord.__table__)  # type: ignore[arg-type]


def record_customers(tx: Tx, command: RecordCustomers) -> RowsDone:
    """Records sales and negotiations, all in one append; a record that is there already is not stored again.

    An address that an erasure suppressed is answered as `suppressed`, and nothing is written of it: an objection
    beats an import. GapsError names every bad row unless `partial` is asked for; then those are refused alone.
    """
    org = command.organisation_id
    good, outcomes = _read(tx, command)
    found = upsert_many(tx, org, [row.address for row in good.values()])
    known = queries.named(tx.connection, org, [one.contact_id for one in found.values()])
    keys = contacts.organisation_keys(tx, org)
    mapped, batch = queries.mapped_categories(tx.session, org), Batch()
    made: list[dict[str, Any]] = []
    for number, row in good.items():
        contact, position = found[addresses.fold(row.address)], command.first + number
        name = (contact.contact_id, row.channel, queries.reference_hash(keys, row.reference))
        if name in known:
            outcomes[number] = RowOutcome(position, "repeated", known[name][0])
            continue
        customer_id = uuid7()
        known[name] = (customer_id, row.trigger, "recorded")
        draft = _draft(command, row, customer_id, contact, position)
        entry_number = batch.add(contact, draft, number)
        made.append(_row(tx, org, row, customer_id, name) | {"entry_number": entry_number})
        warnings = rules.warnings_of(row, mapped)
        outcomes[number] = RowOutcome(position, "recorded", customer_id, warnings=warnings)
    if made:
        tx.connection.execute(_INSERT, made)
    return append_batch(tx, org, batch, found, outcomes)


def _read(tx: Tx, command: RecordCustomers) -> tuple[dict[int, CustomerRow], dict[int, RowOutcome]]:
    """Reads the rows; those of suppressed addresses are left out, and answered so."""
    org = command.organisation_id
    legal_name = organisation(tx.session, org).legal_name

    def read(values: Mapping[str, Any]) -> CustomerRow | list[Refusal]:
        return rules.read_row(values, legal_name=legal_name, now=tx.now)

    good, outcomes = read_rows(command.rows, read, first=command.first, partial=command.partial)
    suppressed = _suppressed(tx, org, [row.address for row in good.values()])
    for number, row in list(good.items()):
        if addresses.fold(row.address) in suppressed:
            outcomes[number] = RowOutcome(command.first + number, "suppressed")
            del good[number]
    return good, outcomes


def _suppressed(tx: Tx, organisation_id: UUID, given: Iterable[str]) -> set[str]:
    """Returns the folded addresses that an erasure left a refusal of."""
    folded = {addresses.fold(address) for address in given}
    found = refusals(tx.connection, tx.log.keystore, organisation_id, folded)
    return {
        address
        for address, refused in found.items()
        if any(one.scope == EVERYTHING and one.in_force(tx.now) for one in refused)
    }


def _draft(
    command: RecordCustomers,
    row: CustomerRow,
    customer_id: UUID,
    contact: LockedContact,
    position: int,
) -> Draft:
    blob = stored_blob(row.opt_out_wording) if row.opt_out_wording else None
    values: dict[str, Value] = {
        "customer": str(customer_id),
        "channel": row.channel,
        "trigger": row.trigger,
        "on": row.on.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "reference": row.reference,
        "categories": list(row.categories),
        "seller": row.seller,
        "obtained_from": row.obtained_from,
        "offered_at_collection": row.offered_at_collection,
        "wording": value_of(blob, "text/plain") if blob else None,
        "refused_at_collection": row.refused_at_collection,
        "told_use_for_advertising": row.told_use_for_advertising,
        "country": row.country,
        "person": row.person,
        "capacity": row.capacity,
        "method": command.method,
        "source": fields.maybe_line(command.source, "source"),
        "row": position,
    }
    return Draft(
        "customer.recorded",
        values,
        actor=command.actor,
        chain=contact.chain,
        blobs=(blob,) if blob else (),
    )


def _row(
    tx: Tx, organisation_id: UUID, row: CustomerRow, customer_id: UUID, name: queries.Named
) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "customer_id": customer_id,
        "contact_id": name[0],
        "channel": row.channel,
        "reference_hash": name[2],
        "trigger": row.trigger,
        "happened_on": row.on.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "state": "recorded",
        "recorded_at": tx.now,
        "changed_at": tx.now,
    }
