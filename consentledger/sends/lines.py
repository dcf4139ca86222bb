"""Makes the lines of a batch of reports from its rows: when it is written, and whenever it is shown or checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import IntegrityError
from consentledger.ledger.sent import EXCEPTION, Sent, renews, sent_disclosure, sent_line_hash
from consentledger.permits.lines import Lines
from consentledger.permits.links import PermitId


class Shape(NamedTuple):
    """What many rows of a batch share."""

    channel: str
    basis: str | None
    status: str
    flags: str

    @property
    def renews(self) -> bool:
        """Tells whether clocks that run from the last message start anew."""
        return renews(self.status, self.basis, self.flags)

    @property
    def renews_exception(self) -> bool:
        """Tells whether the clock of the existing-customer exception starts anew."""
        return self.renews and self.basis == EXCEPTION


def shape_of(kept: Sequence[Sequence[Any]], number: int) -> Shape:
    """Returns a shape as a batch keeps it; IntegrityError when a row points to none."""
    try:
        if number < 0:
            raise IndexError
        return Shape(*kept[number])
    except (IndexError, TypeError, KeyError) as error:
        raise IntegrityError("a report has a shape that its batch does not tell") from error


class Row(NamedTuple):
    """One report as its row says it; an erased one has its line's hash, and no salt, contact or hashes any more."""

    permit_batch: int
    permit_row: int
    contact_id: UUID | None
    shape: int
    sent_at: datetime
    message_hash: bytes | None
    headers_hash: bytes | None
    salt: bytes
    line_hash: bytes | None = None


def build_lines(
    organisation_number: int,
    shapes: Sequence[Shape],
    rows: Sequence[Row],
    numbers: Sequence[int] | None = None,
) -> Lines:
    """Makes a batch's lines from its rows, in order; `numbers` says which rows these are, if not all of them."""
    disclosures, hashes = [], []
    places = range(len(rows)) if numbers is None else numbers
    for number, row in zip(places, rows, strict=True):
        if row.line_hash is not None:
            disclosures.append(b"")
            hashes.append(row.line_hash)
            continue
        shape = shape_of(shapes, row.shape)
        sent = Sent(
            permit=str(PermitId(organisation_number, row.permit_batch, row.permit_row)),
            row=number,
            contact=str(row.contact_id) if row.contact_id else None,
            channel=shape.channel,
            basis=shape.basis,
            status=shape.status,
            at=to_text(row.sent_at),
            message_id=row.message_hash.hex() if row.message_hash else None,
            list_headers=row.headers_hash.hex() if row.headers_hash else None,
            flags=shape.flags,
        )
        text = sent_disclosure(row.salt, sent)
        disclosures.append(text.encode("ascii"))
        hashes.append(sent_line_hash(text))
    return Lines(disclosures, hashes)
