"""What a contact's entries make of the state's rows: pure, by the slices' own rules, one entry after the other.

It is what the verbs did when they appended: standing by contacts.standing, requests and mails by what
consents/* writes with each kind, links by what its entries tell of them (docs/fsck.md has the table).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from consentledger.consents import rules as consents
from consentledger.consents.confirming import CAPABILITY
from consentledger.consents.declining import NOT_ME
from consentledger.contacts import grounds
from consentledger.contacts import standing as standings
from consentledger.contacts.address import fold
from consentledger.contacts.rules import EVERYTHING
from consentledger.kernel.clock import from_text
from consentledger.replay import customers
from consentledger.replay.model import UNKNOWN, Entry, History, Row, Tables
from consentledger.replay.requests import Asked

ERASURE = "erasure"  # how an objection came that an erasure began with
# Kinds whose verbs touch the contact's row: they find it by its address, or write its standing.
TOUCHING = frozenset(
    (
        "consent.requested",
        "consent.confirmed",
        "consent.declined",
        "consent.withdrawn",
        "objection.recorded",
        "customer.recorded",
        "customer.objected",
        "customer.lapsed",
    )
)


class Hashes(Protocol):
    """The organisation's keyed hashes of a folded address."""

    def lookup(self, folded: str) -> bytes:
        """Returns the hash that finds a contact."""

    def suppression(self, folded: str) -> bytes:
        """Returns the hash that keeps a refusal."""

    def reference(self, reference: str) -> bytes:
        """Returns the hash by which a customer's record is known."""


@dataclass(slots=True)
class ContactReplay:
    """One contact's replay; `tables` gives the rows once every entry was told."""

    history: History
    hashes: Hashes
    standing: standings.Standing = field(default_factory=standings.empty)
    address: str | None = None
    born: dict[str, Row] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    customers: dict[str, Row] = field(default_factory=dict)
    uses: dict[tuple[str, bytes, str], Entry] = field(default_factory=dict)
    blocked: list[Entry] = field(default_factory=list)
    declines: list[Entry] = field(default_factory=list)
    forgotten: Entry | None = None

    def run(self) -> Tables:
        """Tells every entry in order and returns the rows."""
        for entry in self.history.entries:
            if entry.values is not None:
                self._tell(entry, entry.values)
        tables = Tables()
        self._contact(tables)
        self._consents(tables)
        for customer, row in self.customers.items():
            tables.put("customer_record", (UUID(customer),), row)
        hashed = self._suppression_hash()
        self.asked.put(tables, self.history.contact_id, hashed)
        for (capability, link_id, scope), entry in self.uses.items():
            row = {"entry_index": entry.index, "used_at": entry.at}
            tables.put("link_use", (capability, link_id, scope), row)
        self._blocks(tables, hashed)
        return tables

    def _tell(self, entry: Entry, values: Mapping[str, Any]) -> None:
        self.address = values["address"]
        at = values["at"]
        self.standing = standings.apply(self.standing, entry.kind, values, n=entry.n, at=at)
        if entry.kind == "consent.requested":
            self.asked.requested(entry, values)
        elif entry.kind == "confirmation.prepared":
            self.asked.prepared(entry, values)
        elif entry.kind == "confirmation.handled":
            self.asked.handled(entry, values)
        elif entry.kind == "consent.expired":
            self.asked.ended(entry, values["request"], "expired")
        elif entry.kind == "consent.confirmed":
            self.forgotten = None  # a confirmed act opens again what an erasure closed
            self._confirmed(entry, values)
        elif entry.kind == "consent.declined":
            self._declined(entry, values)
        elif entry.kind.startswith("customer."):
            customers.tell(self.customers, self.history.contact_id, entry, values, self.hashes)
        elif values.get("permit"):
            self._stopped(entry, values)
        elif entry.kind == "objection.recorded" and values["method"] == ERASURE:
            self.forgotten = self.forgotten or entry
        elif entry.kind == "consent.withdrawn" and values["method"] == NOT_ME:
            self._not_me(entry, None)

    def _confirmed(self, entry: Entry, values: Mapping[str, Any]) -> None:
        link = self.asked.pressed(entry, values["request"], values["purpose"], "confirmed")
        self.born[values["consent"]] = {
            "request_id": UUID(values["request"]),
            "wording_id": UUID(values["wording_id"]),
            "link_id": link if link is not None else UNKNOWN,
            "confirmed_at": entry.at,
        }
        self._used(entry, link, values)

    def _declined(self, entry: Entry, values: Mapping[str, Any]) -> None:
        if values["reason"] != NOT_ME:
            link = self.asked.pressed(entry, values["request"], values["purpose"], "declined")
            self._used(entry, link, values)
            return
        link = None
        if values["request"]:
            link = self.asked.not_me(entry, values["request"])
        else:
            self.asked.not_me_of_none()
        if not self.blocked or self.blocked[-1].at != entry.at:
            self.blocked.append(entry)
        self._not_me(entry, link)

    def _used(self, entry: Entry, link: bytes | None, values: Mapping[str, Any]) -> None:
        if link is not None:
            scope = consents.item_id(UUID(values["request"]), UUID(values["purpose"]))
            self.uses[CAPABILITY, link, scope] = entry

    def _not_me(self, entry: Entry, link: bytes | None) -> None:
        """One press makes several entries at one instant: they are numbered, under the link of its requests."""
        if not self.declines or self.declines[-1].at != entry.at:
            self.declines = []
        self.declines.append(entry)
        link = link or self.asked.declined_link(entry.at)
        if link is not None:
            self.uses[CAPABILITY, link, f"{NOT_ME}.{len(self.declines) - 1}"] = entry

    def _stopped(self, entry: Entry, values: Mapping[str, Any]) -> None:
        use = permit_use(entry.kind, values)
        if use is not None:
            self.uses[use] = entry

    def _contact(self, tables: Tables) -> None:
        entries = self.history.entries
        if not entries:
            return
        # The last one's, not the latest: an act takes its instant before it waits for the contact's row.
        touched = [entry.at for entry in entries if entry.kind in TOUCHING]
        known = self.address is not None
        tables.put(
            "contact",
            (self.history.contact_id,),
            {
                "lookup": self.hashes.lookup(fold(self.address)) if self.address else UNKNOWN,
                "key_id": self.history.key_id if self.history.key_id else UNKNOWN,
                "sealed_address": self.address if known else UNKNOWN,
                "standing": self.standing,
                "entries": entries[-1].n + 1,
                "last_leaf_hash": entries[-1].leaf_hash,
                "created_at": entries[0].at,
                "touched_at": touched[-1] if touched else UNKNOWN,
            },
        )

    def _consents(self, tables: Tables) -> None:
        for key, item in self.standing["consents"].items():
            sender, purpose, channel = key.split("/", 2)
            born = self.born.get(item["id"]) or {
                "request_id": UNKNOWN,
                "wording_id": UNKNOWN,
                "link_id": UNKNOWN,
                "confirmed_at": UNKNOWN,
            }
            row = {
                "contact_id": self.history.contact_id,
                "sender_id": UUID(sender),
                "purpose_id": UUID(purpose),
                "channel": channel,
                "state": item["state"],
                "changed_at": from_text(item["at"]),
                "entry_number": item["n"],
            }
            tables.put("consent", (UUID(item["id"]),), row | born)

    def _suppression_hash(self) -> Any:
        wanted = self.asked.mails or self.blocked or self.forgotten
        return self.hashes.suppression(fold(self.address)) if self.address and wanted else UNKNOWN

    def _blocks(self, tables: Tables, hashed: Any) -> None:
        """Refusals of this address; another contact of the same address may have recorded them first."""
        if not self.address:
            return
        if self.blocked:
            row = {
                "reason": NOT_ME,
                "recorded_at": self.blocked[0].at,
                "until_at": self.blocked[-1].at + consents.NOT_ME_BLOCKS,
            }
            tables.put("suppression", (hashed, consents.CONFIRMATION), row)
        if self.forgotten is not None:
            row = {"reason": ERASURE, "recorded_at": self.forgotten.at, "until_at": None}
            tables.put("suppression", (hashed, EVERYTHING), row)


def permit_use(kind: str, values: Mapping[str, Any]) -> tuple[str, bytes, str] | None:
    """Returns (capability, link, scope) of the unsubscribe link that a stop came by, as its entry tells it."""
    try:
        link_id = urlsafe_b64decode(values["permit"])
    except (Error, ValueError):
        return None
    scope = values["scope"] if kind == "objection.recorded" else "purpose"
    return "unsubscribe", link_id[4:], scope


def merged_standing(
    derived: standings.Standing, stored: Any, erased: frozenset[int]
) -> standings.Standing:
    """Returns the derived standing with what the stored one holds from entries that were erased since.

    The opening of a declined request goes after its 90 days, what it ended stays ended (`closed`).
    """
    if not erased or not isinstance(stored, dict):
        return derived
    try:
        closed = {k: n for k, n in stored["closed"].items() if n in erased}
        sold = [one for one in stored.get("customers", ()) if one["n"] in erased]
        kept = {k: one for k, one in stored["consents"].items() if one["n"] in erased}
        objections = [one for one in stored["objections"] if one["n"] in erased]
    except (KeyError, TypeError, AttributeError):
        return derived
    after = {
        **derived,
        "consents": {**derived["consents"], **kept},
        "objections": sorted([*derived["objections"], *objections], key=lambda one: int(one["n"])),
        "closed": dict(derived["closed"]),
    }
    for channel, n in closed.items():
        if n > after["closed"].get(channel, -1):
            dropped_at = stored.get("dropped", {}).get(channel)
            grounds.close(after, channel, n, dropped_at=dropped_at)
    if sold:
        grounds.keep(after, [*sold, *derived.get("customers", ())])
    return after
