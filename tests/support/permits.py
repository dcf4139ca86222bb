"""An organisation with people in it, made by the real verbs of the rooms below, for tests of permits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from consentledger.contacts import address as addresses
from consentledger.contacts import service as contacts
from consentledger.db.engine import Database
from consentledger.db.log.append import Appended
from consentledger.db.log.entries import Draft
from consentledger.db.models import ContactEntry, LogLeaf
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.clock import to_text
from consentledger.kernel.ids import uuid7
from consentledger.kernel.settings import Settings
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.permit import parse_permit
from consentledger.organisations import service as organisations
from consentledger.organisations.facts import SenderIdentity
from consentledger.permits import queries, service
from consentledger.permits.models import PermitBatch
from consentledger.permits.rules import IssuePermits
from consentledger.permits.service import Issued

IDENTITY = SenderIdentity(
    name="Alice's Garden",
    legal_name="Alice Garden GmbH",
    postal_address="Gartenweg 1\n10115 Berlin",
    country="DE",
    contact_email="service@alice.example",
    from_name="Alice's Garden",
    from_address="news@alice.example",
)


STATES = {
    "consent.confirmed": "confirmed",
    "consent.withdrawn": "withdrawn",
    "objection.recorded": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """One organisation with a sender and a purpose, and short words for what its people do."""

    database: Database
    organisation_id: UUID
    number: int
    sender_id: UUID
    purpose_id: UUID

    def confirm(self, *people: str, purpose_id: UUID | None = None) -> list[Appended]:
        """Each of these addresses confirms consent, in one transaction."""
        with self.database.begin() as tx:
            return self.act(
                tx,
                people,
                lambda contact: ("consent.confirmed", self._confirmed(contact, purpose_id)),
            )

    def withdraw(self, *people: str, purpose_id: UUID | None = None) -> list[Appended]:
        """Each of these addresses takes its consent back."""
        key = {**self.key(), "purpose": str(purpose_id or self.purpose_id)}
        values = {**key, "method": "page", "permit": None}
        with self.database.begin() as tx:
            return self.act(
                tx,
                people,
                lambda contact: (
                    "consent.withdrawn",
                    {**values, "consent": self._consent(contact, purpose_id)},
                ),
            )

    def stop(
        self, *people: str, scope: str = "organisation", lasting: timedelta | None = None
    ) -> list[Appended]:
        """Each of these addresses says stop; for a while if `lasting` is given."""
        with self.database.begin() as tx:
            until = to_text(tx.now + lasting) if lasting else None
            values = {
                "scope": scope,
                "sender": None if scope == "organisation" else str(self.sender_id),
                "purpose": str(self.purpose_id) if scope == "purpose" else None,
                "channel": "email",
                "method": "page",
                "until": until,
                "permit": None,
            }
            return self.act(tx, people, lambda _: ("objection.recorded", values))

    def act(
        self, tx: Tx, people: Sequence[str], make: Callable[[str], tuple[str, dict[str, Any]]]
    ) -> list[Appended]:
        """Locks the contacts of these addresses, records one entry each, appends."""
        drafts = []
        for person in sorted(people):
            contact = contacts.upsert(tx, self.organisation_id, addresses.parse(person))
            kind, values = make(str(contact.contact_id))
            draft = Draft(kind, values, actor="person", chain=contact.chain)
            contacts.record(contact, [draft], to_text(tx.now))
            contacts.save(tx, contact)
            drafts.append(draft)
        return tx.log.append(tx, self.organisation_id, drafts)

    def ask(self, *people: str, **more: Any) -> IssuePermits:
        """The command that asks for permits to these addresses."""
        values: dict[str, Any] = {
            "organisation_id": self.organisation_id,
            "sender_id": self.sender_id,
            "purpose_id": self.purpose_id,
            "channel": "email",
            "recipients": people,
            "actor": "key:test",
            **more,
        }
        return IssuePermits(**values)

    def issue(self, *people: str, **more: Any) -> Issued:
        """Issues permits as delivery does: prepared outside, issued inside one transaction."""
        prepared = service.prepare(self.database, self.ask(*people, **more))
        with self.database.begin() as tx:
            return service.issue(tx, prepared)

    def key(self) -> dict[str, str]:
        """The fields that name a consent."""
        return {
            "sender": str(self.sender_id),
            "purpose": str(self.purpose_id),
            "channel": "email",
        }

    def _consent(self, contact: str, purpose_id: UUID | None = None) -> str:
        # One consent of a contact keeps its id, whatever becomes of it.
        return str(uuid5(UUID(contact), str(purpose_id or self.purpose_id)))

    def _confirmed(self, contact: str, purpose_id: UUID | None) -> dict[str, Any]:
        blob = ["sha256", "00" * 32, 0, "text/plain"]
        return {
            **self.key(), "purpose": str(purpose_id or self.purpose_id),
            "consent": self._consent(contact, purpose_id), "request": str(uuid7()), "wording_id": str(uuid7()),
            "wording": blob, "notice": blob, "form": None, "form_version": None, "language": "en",
            "method": "press", "ip": None, "user_agent": None, "delay": 60, "reopens": False,
        }  # fmt: skip


def make_shop(database: Database, settings: Settings, name: str = "alice") -> Shop:
    """Makes an organisation with one sender and one purpose, published."""
    with database.begin() as tx:
        made = organisations.create_organisation(
            tx, organisations.CreateOrganisation(name, "Alice Garden GmbH", "DE"), settings
        )
    with database.begin() as tx:
        sender = organisations.publish_sender(
            tx, organisations.PublishSender(made.organisation_id, IDENTITY, "operator")
        )
    purpose_id = make_purpose(database, made.organisation_id)
    return Shop(database, made.organisation_id, made.number, sender.id, purpose_id)


def make_purpose(database: Database, organisation_id: UUID, **more: Any) -> UUID:
    """Publishes a purpose and returns its id."""
    command = organisations.PublishPurpose(
        organisation_id,
        {"en": "Weekly offers"},
        "operator",
        **more,
    )
    with database.begin() as tx:
        return organisations.publish_purpose(tx, command).id


def violations(shop: Shop) -> tuple[int, int, int]:
    """Reads the log in order, by kinds and lines alone: (permits, against a stop, with another wrong state).

    For a shop whose people only confirm and leave, in whatever way; every permit must name a contact.
    """
    with shop.database.read() as session:
        leaves = session.execute(
            select(LogLeaf.entry_index, LogLeaf.leaf).order_by(LogLeaf.entry_index)
        ).all()
        owners: dict[int, UUID] = dict(
            session.execute(select(ContactEntry.entry_index, ContactEntry.contact_id)).all()
        )
        batches: dict[int, int] = dict(
            session.execute(select(PermitBatch.entry_index, PermitBatch.batch)).all()
        )
        state: dict[str, str] = {}
        permits = against = wrong = issued = 0
        for index, leaf in leaves:
            kind = parse_leaf(leaf).kind_name
            if index in owners:
                state[str(owners[index])] = STATES[kind]
            elif kind == "permits.issued":
                issued += 1
                lines = queries.lines(session, shop.organisation_id, batches[index])
                for permit in (parse_permit(line.decode()) for line in lines.disclosures):
                    assert permit.contact is not None
                    permits += 1
                    against += permit.allowed and state[permit.contact] != "confirmed"
                    wrong += permit.consent != state[permit.contact]
        assert issued == len(batches)
    return permits, against, wrong
