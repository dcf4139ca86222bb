"""Permits against what may come in between: stops, objections of customers, rule packs and registers; and an auditor.

The auditor reads the log in order and decides every line again from what stood below it, apart from the service: what
each race's other side did is kept with the index of its entry.
"""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from consentledger.contacts.models import Contact
from consentledger.db.log.append import Appended
from consentledger.db.models import ContactEntry, LogLeaf
from consentledger.kernel.clock import from_text, now
from consentledger.law.deciding.decider import Decider
from consentledger.law.model import Customer, Message
from consentledger.law.products import CategoryTree, relation
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted, Rulebook
from consentledger.ledger.leaf import parse_leaf
from consentledger.ledger.permit import Permit, parse_permit
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs
from consentledger.permits import queries, service
from consentledger.permits.models import PermitBatch
from consentledger.permits.service import Issue
from consentledger.registers.rules import ImportRegister
from consentledger.registers.service import import_register
from consentledger.verify.decisions import told_facts
from tests.support.permits import Shop

PEOPLE = tuple(f"p{n}@example.org" for n in range(24))
TREES = (("garden",), ())
REGISTER = "AT-ECG"
KINDS = ("withdrawal", "objection", "pack", "register", "categories")
BOUGHT_ON = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
FLAGS = ("same_person", "directly", "offered", "told")
CLOSING = {
    "consent.withdrawn": True,
    "objection.recorded": True,
    "customer.objected": True,
    "consent.confirmed": False,
}
STATES = {"consent.withdrawn": "withdrawn", "consent.confirmed": "confirmed"}


@dataclass(frozen=True, slots=True)
class Found:
    """What the auditor counted: permits, those allowed behind what forbids them, and lines that are otherwise wrong."""

    permits: int
    allowed: int
    against: int
    wrong: int


@dataclass
class Races:
    """A shop with customers in Austria who all bought garden tools, half of whom subscribed too."""

    shop: Shop
    dice: random.Random = field(default_factory=random.Random)
    adopted: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    trees: list[tuple[int, CategoryTree]] = field(default_factory=list)
    listed: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    def begin(self) -> Races:
        """Adopts Austria's pack, publishes categories, imports an empty list, and lets everybody buy."""
        self.act("pack", ())
        self.act("categories", TREES[0])
        self.act("register", ())
        for start in range(0, len(PEOPLE), 8):
            self._buy(PEOPLE[start : start + 8])
        self.shop.confirm(*PEOPLE[::2])
        return self

    def run(self, kind: str, issue: type[Issue] = Issue, *, between: bool = False) -> None:
        """Runs one race: a batch to half of the people, and an act at the same time (or right between)."""
        people = self.dice.sample(PEOPLE, 12)
        command = self.shop.ask(*people, categories=("garden/spades",))
        prepared = service.prepare(self.shop.database, command)
        other = threading.Thread(target=self.guarded(lambda: self.strike(kind, people)))
        other.start()
        if between:
            other.join()
        with self.shop.database.begin() as tx:
            issue(tx, prepared).run()
        other.join()
        if self.failed:
            raise self.failed.pop()

    def guarded(self, act: Callable[[], None]) -> Callable[[], None]:
        """Keeps what an act raises for the thread that waits for it."""

        def run() -> None:
            try:
                act()
            except BaseException as error:
                self.failed.append(error)

        return run

    def strike(self, kind: str, people: list[str]) -> None:
        """Does something of this kind that the batch to these people turns on."""
        some = self.dice.sample(people, 3)
        if kind == "withdrawal":
            known = [one for one in some if one in PEOPLE[::2]]
            (self.shop.withdraw if known and self.dice.random() < 0.5 else self.shop.stop)(
                *(known or some)
            )
            self.shop.confirm(*self.dice.sample(PEOPLE, 2))
        elif kind == "objection":
            self._object(some)
        elif kind == "pack":
            before = self.adopted[-1][1]
            self.act("pack", () if before else ("exception=off",))
        elif kind == "categories":
            self.act("categories", TREES[1] if self.trees[-1][1].groups else TREES[0])
        else:
            self.act("register", tuple(some))

    def act(self, kind: str, what: tuple[str, ...]) -> None:
        """Adopts, publishes or imports, and keeps what stands in the log from which entry on."""
        database, organisation_id = self.shop.database, self.shop.organisation_id
        if kind == "register":
            text = "".join(f"{one}\n" for one in what).encode()
            command = ImportRegister(organisation_id, REGISTER, now(), "a test", force=True)
            found = import_register(database, command, io.BytesIO(text))
            self.listed.append((found.entry_index, frozenset(what)))
            return
        with database.begin() as tx:
            if kind == "pack":
                wanted = AdoptPacks(organisation_id, (Adoption("AT@1", what),), "key:test")
                index = max(one.entry_index for one in adopt_packs(tx, wanted).adopted)
                self.adopted.append((index, what))
            else:
                nodes = ("garden", "garden/spades", "garden/tools")
                made = publish_categories(
                    tx, PublishCategories(organisation_id, nodes, what, "key:test")
                )
                self.trees.append((made.entry_index, made.tree))

    def _buy(self, people: tuple[str, ...]) -> list[Appended]:
        values = {
            "channel": "email", "trigger": "sale_paid", "on": BOUGHT_ON, "ended_on": None, "reference": "order 1",
            "categories": ["garden/tools"], "seller": "Alice Garden GmbH", "obtained_from": "customer",
            "offered_at_collection": True, "wording": None, "refused_at_collection": False,
            "told_use_for_advertising": True, "country": "AT", "person": "natural", "capacity": "private",
            "method": "api", "source": None, "row": None,
        }  # fmt: skip
        with self.shop.database.begin() as tx:
            return self.shop.act(
                tx, people, lambda one: ("customer.recorded", {**values, "customer": f"sale-{one}"})
            )

    def _object(self, people: list[str]) -> list[Appended]:
        values = {"channel": "email", "method": "page", "permit": None}
        with self.shop.database.begin() as tx:
            return self.shop.act(tx, people, lambda _: ("customer.objected", values))

    def audit(self) -> Found:
        """Reads the log in order and decides every line again from what stands below its batch."""
        return _Auditor(self).run()


class _Auditor:
    def __init__(self, races: Races) -> None:
        self._races, self._shop = races, races.shop
        self._state: dict[str, str] = {}
        self._closed: dict[str, bool] = {}
        self._stopped: set[str] = set()
        self._count = [0, 0, 0, 0]

    def run(self) -> Found:
        shop = self._shop
        with shop.database.read() as session:
            leaves = session.execute(
                select(LogLeaf.entry_index, LogLeaf.leaf).order_by(LogLeaf.entry_index)
            ).all()
            owners: dict[int, UUID] = dict(
                session.execute(select(ContactEntry.entry_index, ContactEntry.contact_id)).all()
            )
            batches = {row.entry_index: row for row in session.scalars(select(PermitBatch))}
            addresses = self._addresses()
            for index, leaf in leaves:
                kind = parse_leaf(leaf).kind_name
                if index in owners:
                    self._tell(str(owners[index]), kind)
                elif kind == "permits.issued":
                    made = queries.lines(session, shop.organisation_id, batches[index].batch)
                    lines = [parse_permit(line.decode()) for line in made.disclosures]
                    self._batch(batches[index], lines, addresses)
        return Found(*self._count)

    def _addresses(self) -> dict[str, str]:
        """The address of each contact, by its id: its look-up hash is that of one of the people's."""
        database, organisation_id = self._shop.database, self._shop.organisation_id
        prepared = service.prepare(database, self._shop.ask(*PEOPLE))
        by_hash = {
            found: one for found, one in zip(prepared.gathered.hashes, PEOPLE, strict=True) if found
        }
        with database.read() as session:
            rows = session.execute(
                select(Contact.contact_id, Contact.lookup).where(
                    Contact.organisation_id == organisation_id
                )
            )
            return {str(contact): by_hash[lookup] for contact, lookup in rows}

    def _tell(self, contact: str, kind: str) -> None:
        if kind == "objection.recorded" and self._state.get(contact) == "confirmed":
            self._state[contact] = "withdrawn"
        self._state[contact] = STATES.get(kind, self._state.get(contact, "none"))
        self._closed[contact] = CLOSING.get(kind, self._closed.get(contact, False))
        if kind == "objection.recorded":
            self._stopped.add(contact)

    def _batch(self, batch: PermitBatch, lines: list[Permit], addresses: dict[str, str]) -> None:
        races, index = self._races, batch.entry_index
        stricter = [what for at, what in races.adopted if at < index][-1]
        tree = [tree for at, tree in races.trees if at < index][-1]
        imported, listed = [pair for pair in races.listed if pair[0] < index][-1]
        names = ("XX@1", "EU@1")
        rulebook = Rulebook(
            (*(Adopted(packs.pack(name)) for name in names), Adopted(packs.pack("AT@1"), stricter))
        )
        (register,) = batch.message["registers"]
        code, as_of, entry = register.split(" ")
        message = Message(
            "marketing",
            "email",
            from_text(batch.message["send_at"]),
            (),
            ((code, from_text(as_of)),),
        )
        decider = Decider(message, rulebook, batch.issued_at)
        near = relation(("garden/spades",), ("garden/tools",), tree)
        frame = int(entry) != imported or batch.message["categories_version"] != tree.version
        for line in lines:
            assert line.contact is not None
            there = (REGISTER,) if addresses[line.contact] in listed else ()
            self._line(line, decider, near, there, frame)

    def _line(
        self, line: Permit, decider: Decider, near: str, listed: tuple[str, ...], wrong: bool
    ) -> None:
        contact = line.contact or ""
        state, closed = self._state[contact], self._closed[contact]
        # A stop covers again what was confirmed behind it, once that is withdrawn.
        stopped = contact in self._stopped and state != "confirmed"
        facts = told_facts(line)._replace(
            consent=state,
            grade="double_opt_in" if state == "confirmed" else "none",
            consented_on="current" if state == "confirmed" else None,
            closed=closed,
            objection="active" if stopped else "none",
            listed=listed,
        )
        without = decider.verdict(facts._replace(customer=None))
        if not without[1].allowed:
            bought = Customer("sale_paid", BOUGHT_ON, None, None, near, FLAGS)
            without = decider.verdict(facts._replace(customer=bought))
        verdict = without[1]
        self._count[0] += 1
        self._count[1] += line.allowed
        self._count[2] += line.allowed and not verdict.allowed
        same = (line.verdict, line.reasons) == (verdict.verdict, verdict.codes)
        self._count[3] += wrong or not same or told_facts(line) != without[0]
