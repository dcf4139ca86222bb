"""The log as an auditor would read it, for tests of publishing."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from consentledger.db.engine import Database
from consentledger.db.log.entries import open_disclosures, opening_context, unframe
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.ledger.leaf import check_disclosures, parse_leaf


def size(database: Database, organisation_id: UUID) -> int:
    with database.read() as session:
        found = session.scalar(
            select(LogHead.size).where(LogHead.organisation_id == organisation_id)
        )
    assert found is not None
    return found


def entry(
    database: Database, organisation_id: UUID, index: int
) -> tuple[str, dict[str, object], list[bytes]]:
    """Opens one entry as an auditor would: kind, values against their commitments, blobs."""
    with database.read() as session:
        leaf = session.execute(
            select(LogLeaf).where(
                LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index == index
            )
        ).scalar_one()
        origin = session.scalar(
            select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
        )
        rows = session.scalars(
            select(Opening).where(
                Opening.organisation_id == organisation_id, Opening.entry_index == index
            )
        ).all()
        sealer = database.log.keystore.organisation(session, organisation_id).sealer
    contents = {
        row.opening_class: sealer.open(
            row.sealed, opening_context(str(origin), leaf.leaf_hash, row.opening_class)
        )
        for row in rows
    }
    parsed = parse_leaf(leaf.leaf)
    values = check_disclosures(parsed, open_disclosures(contents["core"]))
    blobs = unframe(contents["copy"]) if "copy" in contents else []
    return parsed.kind_name, {**values, **parsed.plain}, blobs
