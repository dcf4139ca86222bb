"""What of reports and registers goes into one person's bundle: lines with their paths, and proofs of absence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.keystore.store import KeyStore
from consentledger.evidence.kept import KeptContact
from consentledger.kernel.errors import NotFoundError
from consentledger.ledger.bundle import BundleWriter, to_json
from consentledger.ledger.merkle import inclusion_proof, nodes_of
from consentledger.registers import queries as registers
from consentledger.sends import queries as sends
from consentledger.sends.lines import build_lines
from consentledger.verify.entries import Entry
from consentledger.verify.sends import sent_file

Place = tuple[int, int, int]
"""(entry index, batch, row)"""


def reports_of(
    session: Session,
    organisation_id: UUID,
    contact_id: UUID,
    size: int,
    kept: KeptContact | None = None,
) -> list[Place]:
    """Reads (entry index, batch, row) of every report about a contact below `size`, in the log's order."""
    if kept is not None:
        return kept.reports(session, organisation_id, size)
    found = sends.places_of(session, organisation_id, [contact_id])[contact_id]
    return [place for place in found if place[0] < size]


def write_reports(
    writer: BundleWriter,
    session: Session,
    organisation_id: UUID,
    places: Iterable[Place],
    kept: KeptContact | None = None,
) -> None:
    """Writes `sent/<entry>-<row>.json` for each."""
    for index, number, row in places:
        told = sends.batch(session, organisation_id, number)
        rows = sends.rows(session, organisation_id, number)
        lines = build_lines(
            told.organisation_number, told.shapes, kept.report_rows(number, rows) if kept else rows
        )
        content = sent_file(
            batch=index,
            row=row,
            disclosure=lines.disclosures[row].decode("ascii"),
            path=inclusion_proof(row, told.count, nodes_of(lines.hashes)),
        )
        writer.add(f"sent/{index}-{row}.json", to_json(content))


def write_registers(
    writer: BundleWriter,
    session: Session,
    keystore: KeyStore,
    organisation_id: UUID,
    contact: tuple[UUID, str],
    entries: Sequence[Entry],
) -> None:
    """Writes for each import that a shown batch looked into whether it lists the contact, (id, folded address).

    An import that was forgotten meanwhile is left out: what the permit says of it is asserted then.
    """
    for text in sorted({one for entry in entries for one in _looked_into(entry)}):
        register, _, index = text.split(" ")
        path = f"registers/{register}@{index}.json"
        if path in writer:
            continue
        try:
            content = registers.proof(
                session, keystore, organisation_id, register, int(index), *contact
            )
        except NotFoundError:
            continue
        writer.add(path, to_json(content))


def _looked_into(entry: Entry) -> list[str]:
    return entry.texts("registers") if entry.kind.name == "permits.issued" else []
