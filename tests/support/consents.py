"""A person's way through the consents' verbs, short: sign up, let the worker decide, press."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from consentledger.consents import queries, service
from consentledger.consents.commands import (
    Accepted,
    ConfirmConsents,
    Confirmed,
    ConfirmPage,
    DecideConfirmation,
    Decision,
    Declined,
    HandleConfirmation,
    MailFacts,
    NotMe,
    Origin,
    RenderedMail,
    RequestConsent,
)
from consentledger.contacts import address as addresses
from consentledger.contacts import queries as contact_queries
from consentledger.contacts import standing as standings
from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.db.log.entries import open_disclosures, opening_context
from consentledger.db.models import ContactEntry, LogHead, LogLeaf, Opening
from consentledger.kernel.clock import now
from consentledger.kernel.tokens import pack_link
from consentledger.law.model import Facts, Verdict
from consentledger.ledger.leaf import ParsedLeaf, check_disclosures, parse_leaf
from consentledger.permits.models import Permit, PermitBatch
from consentledger.permits.rulings import Ruling
from consentledger.stops import service as stops
from consentledger.stops.commands import StopAsked, StopByAddress, StopLink, Stopped, Unsubscribe
from tests.factories import MadeForm, create_published_form

ADDRESS = "alice@example.com"
# What an erased permit's line is made from once more.
RULING = Ruling(Facts(consent="confirmed"), None, Verdict("allow", "consent", ())).as_json()
CAME = Origin(
    "203.0.113.77", "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a contact as the log tells it; values are missing once erased."""

    index: int
    kind: str
    values: Mapping[str, Any]
    parsed: ParsedLeaf


@dataclass(slots=True, repr=False)
class People:
    """Verbs on one published form; `mails` are the facts of every mail that was rendered."""

    database: Database
    made: MadeForm
    mails: list[MailFacts] = field(default_factory=list)

    def __repr__(self) -> str:
        # Short: a failing example of a machine is shown with it, and a long one hides what failed.
        return f"<People of {self.org}>"

    @property
    def org(self) -> UUID:
        """The organisation's id."""
        return self.made.organisation_id

    def sign_up(self, address: str = ADDRESS, *purposes: UUID, **more: Any) -> Accepted:
        """Posts the form; without purposes its first box is ticked."""
        command = RequestConsent(
            form=self.made.form,
            address=address,
            ticked=purposes or self.made.purpose_ids[:1],
            came=CAME,
            **more,
        )
        with self.database.begin() as tx:
            return service.request(tx, command)

    def decide(self, accepted: Accepted) -> Decision:
        """Does what the worker does about a request."""
        with self.database.begin() as tx:
            command = DecideConfirmation(self.org, accepted.request_id)
            return service.decide_confirmation(tx, command, self.render)

    def handle(self, accepted: Accepted, decision: Decision, outcome: Any = None) -> None:
        """Tells the outcome of a decision."""
        assert decision.contact_id is not None
        told: Any = outcome or ("sent" if decision.decision == "send" else decision.decision)
        with self.database.begin() as tx:
            service.handle_confirmation(
                tx,
                HandleConfirmation(
                    self.org,
                    decision.contact_id,
                    accepted.request_id,
                    told,
                    decision.link_id,
                    message_id="<1@example.com>" if decision.decision == "send" else None,
                    attempts=1,
                ),
            )

    def ask(self, address: str = ADDRESS, *purposes: UUID, **more: Any) -> bytes | None:
        """Signs up and lets the worker do its part; returns the 12-byte id of the link, if there is one."""
        accepted = self.sign_up(address, *purposes, **more)
        decision = self.decide(accepted)
        if decision.decision == "later":
            return None
        self.handle(accepted, decision)
        if decision.link_id is None:
            return None
        return pack_link(self.made.organisation.number, decision.link_id)

    def page(self, link: bytes) -> ConfirmPage:
        """Reads the confirm page."""
        with self.database.read() as session:
            return queries.confirm_page(session, link)

    def press(
        self,
        link: bytes,
        *,
        keep: tuple[str, ...] | None = None,
        shown: tuple[str, ...] | None = None,
    ) -> Confirmed:
        """Presses the button; without a choice everything that the page shows is kept."""
        items = shown or tuple(item.item_id for item in self.page(link).items)
        kept = items if keep is None else keep
        with self.database.begin() as tx:
            return service.confirm(tx, ConfirmConsents(link, items, kept, CAME))

    def subscribe(self, address: str = ADDRESS, *purposes: UUID) -> bytes:
        """Signs up and confirms; returns the link."""
        link = self.ask(address, *purposes)
        assert link is not None
        assert self.press(link).confirmed
        return link

    def render(self, facts: MailFacts) -> RenderedMail:
        """Stands in for the worker's rendering: remembers what it was given."""
        self.mails.append(facts)
        return RenderedMail(
            b"the mail, " + facts.link_id.hex().encode(), "<1@example.com>", {"n": 1}
        )

    def not_me(self, link: bytes) -> Declined:
        """Presses `this was not me`."""
        with self.database.begin() as tx:
            return service.decline(tx, NotMe(link, CAME))

    def permit(self, address: str = ADDRESS, purpose: UUID | None = None) -> bytes:
        """Writes a permit's rows as a batch of one; returns the 12-byte id of its unsubscribe link."""
        contact = self.contact(address)
        batch = int.from_bytes(os.urandom(6), "big")
        with self.database.begin() as tx:
            tx.session.add(
                PermitBatch(
                    organisation_id=self.org,
                    batch=batch,
                    entry_index=0,
                    count=1,
                    sender_id=self.made.sender_id,
                    purpose_id=purpose or self.made.purpose_ids[0],
                    channel="email",
                    message={},
                    verdicts=[RULING],
                    issued_at=tx.now,
                    valid_until_at=tx.now,
                )
            )
            tx.session.add(
                Permit(
                    organisation_id=self.org,
                    batch=batch,
                    row_number=0,
                    contact_id=contact.contact_id if contact else None,
                    verdict=0,
                    salt=bytes(16),
                )
            )
        return pack_link(self.made.organisation.number, batch.to_bytes(6, "big") + bytes(2))

    def unsubscribe(
        self, link: bytes, method: Any = "one_click", scope: Any = "purpose"
    ) -> Stopped:
        """Presses an unsubscribe link."""
        with self.database.begin() as tx:
            return stops.unsubscribe(tx, Unsubscribe(link, method, scope))

    def stop(self, address: str = ADDRESS) -> StopAsked:
        """Types an address in on /stop."""
        command = StopByAddress(self.org, self.made.sender_id, address, "en")
        with self.database.begin() as tx:
            return stops.stop_by_address(tx, command)

    def stop_link(self, link: bytes) -> Stopped:
        """Presses the link that /stop mailed."""
        with self.database.begin() as tx:
            return stops.stop_link(tx, StopLink(link))

    def state(self, address: str = ADDRESS, purpose: UUID | None = None) -> str:
        """Reads a consent's state as permits see it."""
        contact = self.contact(address)
        if contact is None:
            return "none"
        wanted = purpose or self.made.purpose_ids[0]
        return standings.consent_state(
            contact.standing, self.made.sender_id, wanted, "email", now()
        )

    def contact(self, address: str = ADDRESS) -> Contact | None:
        """Reads a contact's row."""
        with self.database.read() as session:
            keys = self.database.log.keystore.organisation(session, self.org)
            lookup = contact_queries.lookup_hash(keys, addresses.fold(address))
            return contact_queries.contact_by_lookup(session, self.org, lookup)

    def entries(self, address: str = ADDRESS) -> list[Entry]:
        """Reads and opens a contact's entries, in order."""
        contact = self.contact(address)
        return [] if contact is None else entries_of(self.database, self.org, contact)

    def kinds(self, address: str = ADDRESS) -> list[str]:
        """Reads the kinds of a contact's entries."""
        return [entry.kind for entry in self.entries(address)]

    def size(self) -> int:
        """Reads the size of the log."""
        with self.database.read() as session:
            query = select(LogHead.size).where(LogHead.organisation_id == self.org)
            return session.execute(query).scalar_one()

    def last_leaf(self) -> str:
        """Reads the newest leaf's bytes as text."""
        with self.database.read() as session:
            query = select(LogLeaf.leaf).where(LogLeaf.organisation_id == self.org)
            leaf = session.execute(query.order_by(LogLeaf.entry_index.desc()).limit(1)).scalar_one()
            return bytes(leaf).decode()


def people(installation: Installation, *titles: str) -> People:
    """Makes an organisation with a published form (one box per title), and a stranger's beside it."""
    database, settings = installation.database, installation.settings
    made = create_published_form(database, settings, titles=titles or ("weekly offers",))
    return People(database, made)


def entries_of(database: Database, organisation_id: UUID, contact: Contact) -> list[Entry]:
    """Reads a contact's entries with all that still opens."""
    with database.read() as session:
        keys = database.log.keystore.contact_keys(session, organisation_id, contact.key_id)
        origin = session.execute(
            select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
        ).scalar_one()
        found = []
        rows = session.execute(
            select(LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.leaf_hash)
            .join(
                ContactEntry,
                (ContactEntry.organisation_id == LogLeaf.organisation_id)
                & (ContactEntry.entry_index == LogLeaf.entry_index),
            )
            .where(
                LogLeaf.organisation_id == organisation_id,
                ContactEntry.contact_id == contact.contact_id,
            )
            .order_by(LogLeaf.entry_index)
        ).all()
        for index, leaf, leaf_hash in rows:
            parsed = parse_leaf(bytes(leaf))
            lines: list[str] = []
            for name, sealed in session.execute(
                select(Opening.opening_class, Opening.sealed).where(
                    Opening.organisation_id == organisation_id,
                    Opening.entry_index == index,
                    Opening.opening_class != "copy",
                )
            ):
                context = opening_context(origin, bytes(leaf_hash), name)
                lines += open_disclosures(keys.sealer.open(sealed, context))
            values = check_disclosures(parsed, lines)
            found.append(Entry(index, parsed.kind_name, values, parsed))
        return found


def raw_bytes(database: Database) -> bytes:
    """Returns everything that is stored: the files on SQLite, every row of every table on PostgreSQL."""
    if database.name == "sqlite":
        path = str(database.url.database)
        database.close()  # the worker truncates the write-ahead log; here nobody may read in between
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        found = b""
        counters = f"{path}.limits"
        for name in (path, f"{path}-wal", counters, f"{counters}-wal"):
            if os.path.exists(name):
                with open(name, "rb") as file:
                    found += file.read()
        return found
    with database.read() as session:
        tables = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        rows: list[str] = []
        for table in tables:
            rows += session.scalars(text(f'SELECT t::text FROM "{table}" t')).all()
    joined = "\n".join(rows)
    # A bytea is shown in hexadecimal: look into it too.
    hexed = b"".join(
        bytes.fromhex(part[:even])
        for part in (
            piece.split('"')[0].split(",")[0].split(")")[0] for piece in joined.split("\\x")[1:]
        )
        if (even := len(part) - len(part) % 2) and all(c in "0123456789abcdef" for c in part)
    )
    return joined.encode() + hexed
