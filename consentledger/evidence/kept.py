"""A contact that is gone but for what is restricted for legal claims: its keys and places, from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.keystore.store import ContactKeys
from consentledger.permits.lines import Row
from consentledger.permits.models import PermitBatch
from consentledger.sends.lines import Row as Report
from consentledger.sends.models import MessageBatch


@dataclass(frozen=True, slots=True)
class KeptContact:
    """What opened a restriction told: `permits` maps (batch, row) to the row's verdict and salt.

    `sent` maps (batch, row) of reports to salt, Message-ID's hash and list headers' hash.
    """

    contact_id: UUID
    keys: ContactKeys
    entries: tuple[int, ...]
    permits: Mapping[tuple[int, int], tuple[int, bytes]] = field(repr=False)
    sent: Mapping[tuple[int, int], tuple[bytes, bytes | None, bytes | None]] = field(
        default_factory=dict, repr=False
    )

    def places(
        self, session: Session, organisation_id: UUID, size: int
    ) -> list[tuple[int, int, int]]:
        """Returns (entry index, batch, row) of every permit that named the contact, in the log's order."""
        batches = {batch for batch, _ in self.permits}
        query = select(PermitBatch.batch, PermitBatch.entry_index).where(
            PermitBatch.organisation_id == organisation_id, PermitBatch.entry_index < size
        )
        found = {batch: index for batch, index in session.execute(query) if batch in batches}
        return sorted((found[batch], batch, row) for batch, row in self.permits if batch in found)

    def reports(
        self, session: Session, organisation_id: UUID, size: int
    ) -> list[tuple[int, int, int]]:
        """Returns (entry index, batch, row) of every report about the contact, in the log's order."""
        query = select(MessageBatch.batch, MessageBatch.entry_index).where(
            MessageBatch.organisation_id == organisation_id, MessageBatch.entry_index < size
        )
        batches = {batch for batch, _ in self.sent}
        found = {batch: index for batch, index in session.execute(query) if batch in batches}
        return sorted((found[batch], batch, row) for batch, row in self.sent if batch in found)

    def report_rows(self, batch: int, rows: list[Report]) -> list[Report]:
        """Returns a batch's reports with the contact's own as they were."""
        return [
            _report_as_it_was(row, self.contact_id, *self.sent[batch, number])
            if (batch, number) in self.sent
            else row
            for number, row in enumerate(rows)
        ]

    def rows(self, batch: int, rows: list[Row]) -> list[Row]:
        """Returns a batch's rows with the contact's own as they were."""
        own = {row: made for (number, row), made in self.permits.items() if number == batch}
        return [
            _as_it_was(row, self.contact_id, *own[number]) if number in own else row
            for number, row in enumerate(rows)
        ]


def _report_as_it_was(
    row: Report, contact_id: UUID, salt: bytes, message: bytes | None, headers: bytes | None
) -> Report:
    return row._replace(
        contact_id=contact_id, salt=salt, message_hash=message, headers_hash=headers, line_hash=None
    )


def _as_it_was(row: Row, contact_id: UUID, verdict: int, salt: bytes) -> Row:
    return row._replace(contact_id=contact_id, verdict=verdict, salt=salt, line_hash=None)
