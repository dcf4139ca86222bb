"""A small log with a real contact in it, for tests of the log itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert

from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Chain, Draft
from consentledger.kernel.ids import uuid7


def setting(number: int = 0) -> Draft:
    """An entry without a contact."""
    values = {"setting": "request_days", "value": str(number)}
    return Draft("configuration.changed", values, actor="operator")


def expired(chain: Chain) -> Draft:
    """A small entry of a contact."""
    return Draft("consent.expired", {"request": str(uuid7())}, actor="worker", chain=chain)


@dataclass(frozen=True, slots=True)
class SmallLog:
    """An organisation's empty log, and verbs to fill it."""

    database: Database
    organisation_id: UUID

    def append(self, *drafts: Draft) -> list[Appended]:
        """Appends in a transaction of its own."""
        with self.database.begin() as tx:
            return tx.log.append(tx, self.organisation_id, drafts)

    def fill(self, count: int) -> None:
        """Appends `count` settings, in one batch."""
        self.append(*(setting(n) for n in range(count)))

    def contact(self, address: str = "ann@example.org") -> Chain:
        """Makes a contact's rows and returns its (empty) chain."""
        keystore = self.database.log.keystore
        prepared = keystore.prepare_contact(self.organisation_id)
        contact_id = uuid7()
        with self.database.begin() as tx:
            keystore.store_many(tx, self.organisation_id, [prepared])
            tx.session.execute(
                insert(Contact).values(
                    organisation_id=self.organisation_id, contact_id=contact_id,
                    lookup=contact_id.bytes * 2, key_id=prepared.keys.key_id,
                    sealed_address=prepared.keys.sealer.seal(address.encode(), b"test"),
                    standing={}, entries=0, last_leaf_hash=None,
                    created_at=tx.now, touched_at=tx.now,
                )
            )  # fmt: skip
        return Chain(contact_id, prepared.keys, address, 0, None)


def make_log(database: Database, name: str = "log") -> SmallLog:
    """Makes an organisation's keys and the head of its log."""
    organisation_id = uuid7()
    with database.begin() as tx:
        tx.log.keystore.create_organisation(tx.session, organisation_id)
        tx.log.create(tx, organisation_id, f"test.example/log/{name}")
    return SmallLog(database, organisation_id)
