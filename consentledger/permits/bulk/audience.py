"""All recorded contacts of an organisation as recipients: read by key, in pages, their addresses opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact
from consentledger.contacts.queries import open_address
from consentledger.db.engine import Database
from consentledger.permits.bulk.body import Kept, Piece
from consentledger.permits.service import Issued

CHANNEL = "email"  # an address of a contact is one of e-mail


class Audience:
    """Contacts in the order of their ids, which is that of their coming. Lines are counted from 1.

    One who comes while the run lasts is asked about at its end; one who goes is not.
    """

    def __init__(self, database: Database, organisation_id: UUID) -> None:
        self._database, self._organisation_id = database, organisation_id
        self._after: UUID | None = None
        self.line = 0

    def next(self, count: int) -> Piece | None:
        """Reads the next contacts; None behind the last."""
        query = _contacts(self._organisation_id).order_by(Contact.contact_id).limit(count)
        while True:
            page = query if self._after is None else query.where(Contact.contact_id > self._after)
            with self._database.read() as session:
                rows = session.execute(page).all()
                if not rows:
                    return None
                self._after = rows[-1].contact_id
                found = self._open(session, rows)
            addresses = [found[row.contact_id] for row in rows if row.contact_id in found]
            if addresses:
                return self._piece(addresses)

    def again(self, session: Session, kept: Kept, issued: Issued) -> Piece:
        """Reads the addresses of a committed batch; whoever was erased since has none."""
        ids = [row.contact_id for row in issued.rows]
        wanted = sorted({one for one in ids if one is not None})
        query = _contacts(self._organisation_id).where(Contact.contact_id.in_(wanted))
        found = self._open(session, session.execute(query).all()) if wanted else {}
        if wanted:
            # Where the ids are gone, their contacts are too: nobody between here and there is left out.
            self._after = max(wanted) if self._after is None else max(self._after, wanted[-1])
        return self._piece([None if one is None else found.get(one) for one in ids])

    def _piece(self, addresses: Sequence[str | None]) -> Piece:
        first = self.line + 1
        self.line += len(addresses)
        return Piece(first, self.line, addresses, range(first, self.line + 1))

    def _open(self, session: Session, rows: Sequence[Row[Any]]) -> dict[UUID, str]:
        organisation_id, keystore = self._organisation_id, self._database.log.keystore
        keys = keystore.contact_keys_many(session, organisation_id, [row.key_id for row in rows])
        return {
            row.contact_id: open_address(
                keys[row.key_id], organisation_id, row.contact_id, row.sealed_address
            )
            for row in rows
            if row.key_id in keys  # else it is being erased
        }


def _contacts(organisation_id: UUID) -> Any:
    return select(Contact.contact_id, Contact.key_id, Contact.sealed_address).where(
        Contact.organisation_id == organisation_id
    )
