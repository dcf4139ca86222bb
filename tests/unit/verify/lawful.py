"""A log in memory that adopted rule packs, and its permits of version 2: told by hand, decided by the law itself."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from consentledger.law.deciding.decider import Decider
from consentledger.law.model import Facts, Message
from consentledger.law.reading import packs
from consentledger.law.rulebook import Adopted, Rulebook
from consentledger.ledger import merkle
from consentledger.ledger.permit import Permit, permit_disclosure, permit_line_hash
from consentledger.verify.permits import permit_file
from tests.unit.verify.bundles import BundledLog
from tests.unit.verify.memory import PURPOSE, SENDER, Contact, instant


@dataclass
class LawfulLog(BundledLog):
    """Adopts packs, and issues permits that are honest but for what a test changes."""

    adopted: list[Adopted] = field(default_factory=list)

    def adopt(self, name: str, *stricter: str, accepts: tuple[str, ...] = ()) -> int:
        """Adopts a pack."""
        pack = packs.pack(name)
        self.adopted.append(Adopted(pack, stricter, accepts))
        return self.add(
            "pack.adopted",
            {"pack": pack.id, "version": pack.version, "hash": pack.hash, "stricter": list(stricter),
             "accepts": list(accepts)},
        )  # fmt: skip

    def categories(self, *nodes: str, groups: tuple[str, ...], version: int = 1) -> int:
        """Publishes a category tree."""
        values = {"version": version, "categories": list(nodes), "groups": list(groups)}
        return self.add("categories.published", values)

    def sale(self, contact: Contact, **changes: object) -> int:
        """Records a sale with all that the exception asks for."""
        return self.add(
            "customer.recorded",
            {"customer": "k-1", "channel": "email", "trigger": "sale_paid", "on": "2026-10-01", "ended_on": None,
             "reference": "order 1", "categories": ["garden/tools"], "seller": "Shop GmbH",
             "obtained_from": "customer", "offered_at_collection": True, "wording": self.text,
             "refused_at_collection": False, "told_use_for_advertising": True, "country": "DE",
             "person": "natural", "capacity": "private", "method": "api", "source": None, "row": None},
            contact, **changes,
        )  # fmt: skip

    def permit(
        self,
        contact: Contact | None,
        facts: Facts,
        *,
        entry: int | None = None,
        message: dict[str, object] | None = None,
        lie: Callable[[Permit], Permit] = lambda permit: permit,
        **changes: object,
    ) -> str:
        """Issues a batch whose third row is the contact's, decided on these facts; returns the permit's id.

        `message` are fields of the batch's entry that count in the decision, `changes` such that are put in behind
        it, `lie` changes the line.
        """
        index, batch = len(self.built), os.urandom(6)
        at, until = instant(index), instant(index + 60)
        said: dict[str, object] = {
            "class": "marketing", "contains": [], "categories": [], "tracking": None, "registers": [], "send_at": at,
            **(message or {}),
        }  # fmt: skip
        decider = Decider(_message(said), Rulebook(tuple(self.adopted)), datetime.fromisoformat(at))
        lines, used = [], set[str]()
        for row in range(4):
            mine = row == 2
            told, verdict = decider.verdict(facts if mine else Facts(recipient="stranger"))
            used |= set(verdict.packs)
            number = base64.urlsafe_b64encode(bytes(4) + batch + row.to_bytes(2, "big")).decode()
            ends = min(until, _text(verdict.until)) if verdict.until else until
            permit = Permit(
                permit=number, row=row, contact=contact.name if contact and mine else None,
                entry=entry if mine else None, recipient=told.recipient, countries=",".join(told.countries),
                person=told.person, capacity=told.capacity, consent=told.consent, grade=told.grade,
                consented_on=told.consented_on, sent_on=told.sent_on, objection=told.objection, closed=told.closed,
                customer=told.customer.text() if told.customer else None, listed=",".join(told.listed),
                tracking=told.tracking, packs=",".join(verdict.packs), verdict=verdict.verdict, basis=verdict.basis,
                reasons=verdict.codes, valid_until=ends if verdict.allowed else None,
            )  # fmt: skip
            line = lie(permit) if mine else permit
            lines.append((number, permit_disclosure(os.urandom(16), line)))
        hashes = [permit_line_hash(line) for _, line in lines]
        known = {one.pack.name: one.pack.hash for one in self.adopted}
        trees = sum("groups" in values for values in self.values)
        self.add(
            "permits.issued",
            {"batch": base64.urlsafe_b64encode(batch).decode(), "sender": SENDER, "purpose": PURPOSE,
             "channel": "email", "campaign": None, "valid_until": until, "categories_version": trees or None,
             "packs": [f"{name} {known[name]}" for name in sorted(used)], **said},
            plain={"count": "4", "root": merkle.root_of(hashes).hex()}, **changes,
        )  # fmt: skip
        name, line_text = lines[2]
        path = merkle.inclusion_proof(2, 4, merkle.nodes_of(hashes))
        self.permits[name] = permit_file(
            batch=index, permit=name, row=2, disclosure=line_text, path=path
        )
        return name

    def members(self, contacts: object = ()) -> dict[str, bytes]:
        """The rest of a bundle, with the packs that were adopted."""
        found = super().members(contacts)  # type: ignore[arg-type]
        for one in self.adopted:
            found[f"rules/{one.pack.name}.toml"] = packs.pack_bytes(one.pack.name)
        return found


def _message(said: dict[str, object]) -> Message:
    contains, registers = said["contains"], said["registers"]
    assert isinstance(contains, list)
    assert isinstance(registers, list)
    return Message(
        str(said["class"]),
        "email",
        datetime.fromisoformat(str(said["send_at"])),
        tuple(contains),
        tuple((one.split()[0], datetime.fromisoformat(one.split()[1])) for one in registers),
        said["tracking"] is not None,
    )


def _text(at: datetime) -> str:
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def lied(**changes: object) -> Callable[[Permit], Permit]:
    """Changes values of the line."""
    return lambda permit: replace(permit, **changes)  # type: ignore[arg-type]
