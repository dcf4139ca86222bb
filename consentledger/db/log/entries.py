"""From a draft to a sealed entry, before the head is locked; and the rows that an append writes behind the lock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from consentledger import __version__
from consentledger.db.keystore.store import ContactKeys, Sealer
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.kinds import kind as kind_of
from consentledger.ledger.leaf import BuiltLeaf, build_leaf, label
from consentledger.ledger.merkle import Completed

OPENING_CLASSES = ("core", "technical", "copy")
SOFTWARE = f"consentledger {__version__}"


@dataclass(slots=True)
class Chain:
    """A locked contact's place in the log: moves on with every entry that is drafted on it.

    `entries` counts its entries (n of the next label), `prev` is the leaf hash of its latest one. The
    contact's row must be locked by the transaction that holds this.
    """

    contact_id: UUID
    keys: ContactKeys
    address: str | None
    entries: int
    prev: bytes | None
    contact_text: str = field(init=False)

    def __post_init__(self) -> None:
        self.contact_text = str(self.contact_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be written: its kind's own fields; the common ones are filled in when it is sealed.

    `blobs` are the stored bytes (32 random bytes, then the content) of this entry's blob fields. `version` of the
    kind: the newest, if none is said.
    """

    kind: str
    values: Mapping[str, Value]
    actor: str
    chain: Chain | None = None
    plain: Mapping[str, str] | None = None
    blobs: tuple[bytes, ...] = field(default=(), repr=False)
    version: int | None = None


class SealedOpening(NamedTuple):
    """One sealed opening; `key_id` names the contact's key, null the organisation's."""

    opening_class: str
    key_id: UUID | None
    sealed: bytes


class SealedEntry(NamedTuple):
    """An entry that only lacks its index. What opens it stays in memory, for the receipt of the act."""

    built: BuiltLeaf
    openings: tuple[SealedOpening, ...]
    chain: Chain | None

    @property
    def leaf(self) -> bytes:
        """The leaf's bytes."""
        return self.built.leaf

    @property
    def leaf_hash(self) -> bytes:
        """The leaf's hash."""
        return self.built.leaf_hash


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything one append writes, made while the head is locked; the engines' modules turn it into SQL."""

    organisation_id: UUID
    first: int
    entries: Sequence[SealedEntry]
    nodes: Sequence[Completed]
    chains: Sequence[Chain]
    size: int
    root: bytes
    frontier: bytes
    mac: bytes
    at: datetime


def seal_entry(draft: Draft, *, began_as: str, organisation: Sealer, at: str) -> SealedEntry:
    """Builds the leaf of a draft and seals its openings; moves the draft's chain on.

    `at` is the transaction's instant as text, the same for every entry of a batch.
    """
    kind = KINDS[draft.kind, draft.version] if draft.version else kind_of(draft.kind)
    chain = draft.chain
    values = {**draft.values, "actor": draft.actor, "at": at, "software": SOFTWARE}
    if kind.contact:
        values["contact"] = chain.contact_text if chain else None
        values["address"] = chain.address if chain else None
        values["prev"] = chain.prev.hex() if chain and chain.prev else None
    mark = label(chain.keys.label, chain.entries) if chain else None
    built = build_leaf(kind, values, label=mark, plain=draft.plain)
    contents = _contents(built)
    if draft.blobs:
        contents.append(("copy", frame(draft.blobs)))
    sealer = chain.keys.sealer if chain else organisation
    key_id = chain.keys.key_id if chain else None
    openings = tuple(
        [
            SealedOpening(
                name, key_id, sealer.seal(content, opening_context(began_as, built.leaf_hash, name))
            )
            for name, content in contents
        ]
    )
    if chain:
        chain.entries += 1
        chain.prev = built.leaf_hash
    return SealedEntry(built, openings, chain)


def _contents(built: BuiltLeaf) -> list[tuple[str, bytes]]:
    """Groups disclosures by the class of their opening; most kinds have the core class only."""
    technical = built.kind.technical
    if not technical:
        return [("core", built.joined)]
    parts: dict[str, list[str]] = {"core": [], "technical": []}
    for name, text in built.disclosures:
        parts["technical" if name in technical else "core"].append(text)
    return [(name, "\n".join(texts).encode()) for name, texts in parts.items()]


def opening_context(began_as: str, leaf_hash: bytes, opening_class: str) -> bytes:
    """Returns what an opening is bound to: log and leaf, not the index, so that sealing comes before the lock."""
    return f"{began_as}\n{leaf_hash.hex()}\n{opening_class}".encode()


def open_disclosures(content: bytes) -> list[str]:
    """Splits an opened core or technical opening into its disclosures."""
    return content.decode("ascii").split("\n")


def frame(blobs: Sequence[bytes]) -> bytes:
    """Joins stored blobs: a JSON line of their lengths, then the bytes."""
    return json.dumps([len(blob) for blob in blobs]).encode() + b"\n" + b"".join(blobs)


def unframe(content: bytes) -> list[bytes]:
    """Splits what `frame` joined."""
    head, _, rest = content.partition(b"\n")
    blobs, start = [], 0
    for length in json.loads(head):
        blobs.append(rest[start : start + length])
        start += length
    return blobs
