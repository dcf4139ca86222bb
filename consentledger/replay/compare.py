"""Holds the state's rows against the log, contact by contact, in flat memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from consentledger.contacts.queries import open_address
from consentledger.db.fsck.model import Position, Report, Step
from consentledger.db.fsck.opener import Opener
from consentledger.kernel.errors import ConsentLedgerError
from consentledger.replay import own
from consentledger.replay.differences import Grouped, contact_differences
from consentledger.replay.model import Difference, History, Row, Tables
from consentledger.replay.reading import (
    Owned,
    Ownership,
    OwnHashes,
    histories,
    owned_batches,
)
from consentledger.replay.registers import register_differences
from consentledger.replay.reports import last_differences, report_differences
from consentledger.replay.rules import ContactReplay
from consentledger.replay.stored import KEYED, rows_by_key, rows_of_contacts


def check_contacts(opener: Opener, position: Position, step: Step) -> None:
    """Opens the entries of all contacts behind `position.contact`, replays them, and compares the state's rows."""
    report = position.report
    total = opener.rows.count_owned()
    if position.phase == "openings":
        position.phase = "contacts"
    for batch in owned_batches(opener, position.contact):
        for _, difference in compare_batch(opener, batch, report).differences:
            report.add(difference.where, difference.message)
        position.contact = batch[-1].contact_id
        position.entries += sum(len(owned.indexes) for owned in batch)
        step(position, min(position.entries, total), total)
    position.phase = "state"
    step(position, 0, 1)
    for replay, names in own.own_replays(opener):
        stored = own.stored_of(opener, replay, names)
        for difference in own.own_differences(replay, names, stored):
            report.add(difference.where, difference.message)
    for difference in chain(
        own.permit_differences(opener),
        report_differences(opener),
        last_differences(opener),
        register_differences(opener),
        own.ownerless(opener),
    ):
        report.add(difference.where, difference.message)


@dataclass(frozen=True, slots=True)
class Compared:
    """A batch of contacts: what their entries give, what is stored, and where that differs."""

    derived: list[tuple[History, Tables]]
    stored: Tables
    differences: list[tuple[History, Difference]]


def compare_batch(
    opener: Opener,
    batch: Sequence[Owned],
    report: Report,
    ownership: Ownership | None = None,
) -> Compared:
    """Replays these contacts and compares their rows; damaged entries go to the report."""
    derived = derive(opener, histories(opener, batch, report, ownership), report)
    stored = stored_beside(opener, [owned.contact_id for owned in batch], derived)
    differences = []
    grouped = Grouped(stored)
    for history, tables in derived:

        def address_of(row: Row, history: History = history) -> str | None:
            return stored_address(opener, history.contact_id, row)

        for one in contact_differences(history, tables, grouped, address_of):
            differences.append((history, one))
    return Compared(derived, stored, differences)


def derive(
    opener: Opener, found: Sequence[History], report: Report
) -> list[tuple[History, Tables]]:
    """Replays histories; one whose entries contradict themselves is named and left out."""
    keys = opener.keystore.current(opener.session, opener.organisation_id)
    hashes, derived = OwnHashes(keys), []
    for history in found:
        try:
            derived.append((history, ContactReplay(history, hashes).run()))
        except (ConsentLedgerError, KeyError, ValueError, TypeError, AttributeError):
            report.add(f"contact {history.contact_id}", "its entries can't be replayed")
    return derived


def stored_beside(
    opener: Opener, contact_ids: Sequence[UUID], derived: Sequence[tuple[History, Tables]]
) -> Tables:
    """Reads the stored rows of these contacts, and those that their links and hashes lead to."""
    stored = rows_of_contacts(opener.session, opener.organisation_id, contact_ids)
    for name in KEYED:
        keys = [key for _, tables in derived for key in tables.of(name)]
        found = rows_by_key(opener.session, opener.organisation_id, name, keys)
        stored.rows[name] = found.of(name)
    return stored


def stored_address(opener: Opener, contact_id: UUID, row: Row) -> str | None:
    """Opens the address in a contact's row; None when it does not open under its key."""
    keys = opener.keys([row["key_id"]])[row["key_id"]]
    if keys is None:
        return None
    try:
        return open_address(keys, opener.organisation_id, contact_id, row["sealed_address"])
    except (ConsentLedgerError, UnicodeDecodeError):
        return None
