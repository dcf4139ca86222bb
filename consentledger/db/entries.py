"""From a draft to a sealed entry: leaf built, openings sealed; all before the head is locked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from consentledger import __version__
from consentledger.db.keystore import ContactKeys, Sealer
from consentledger.kernel.clock import to_text
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import kind as kind_of
from consentledger.ledger.leaf import build_leaf, label

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


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be written: its kind's own fields; the common ones are filled in when it is sealed.

    `blobs` are the stored bytes (32 random bytes, then the content) of this entry's blob fields.
    """

    kind: str
    values: Mapping[str, Value]
    actor: str
    chain: Chain | None = None
    plain: Mapping[str, str] | None = None
    blobs: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class SealedOpening:
    """One sealed opening; `key_id` names the contact's key, null the organisation's."""

    opening_class: str
    key_id: UUID | None
    sealed: bytes


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry that only lacks its index. `disclosures` stay in memory, for the receipt of the act."""

    leaf: bytes
    leaf_hash: bytes
    openings: tuple[SealedOpening, ...]
    chain: Chain | None
    disclosures: tuple[tuple[str, str], ...] = field(repr=False)


def seal_entry(draft: Draft, *, origin: str, organisation: Sealer, at: datetime) -> SealedEntry:
    """Builds the leaf of a draft and seals its openings; moves the draft's chain on."""
    kind = kind_of(draft.kind)
    values = dict(draft.values, actor=draft.actor, at=to_text(at), software=SOFTWARE)
    chain = draft.chain
    if kind.contact:
        values["contact"] = str(chain.contact_id) if chain else None
        values["address"] = chain.address if chain else None
        values["prev"] = chain.prev.hex() if chain and chain.prev else None
    mark = label(chain.keys.label, chain.entries) if chain else None
    built = build_leaf(kind, values, label=mark, plain=draft.plain)
    texts: dict[str, list[str]] = {"core": [], "technical": []}
    for name, disclosure in built.disclosures:
        texts[kind.by_name[name].opening].append(disclosure)
    contents = {name: "\n".join(lines).encode() for name, lines in texts.items() if lines}
    if draft.blobs:
        contents["copy"] = frame(draft.blobs)
    sealer = chain.keys.sealer if chain else organisation
    key_id = chain.keys.key_id if chain else None
    openings = tuple(
        SealedOpening(
            name, key_id, sealer.seal(content, opening_context(origin, built.leaf_hash, name))
        )
        for name, content in contents.items()
    )
    if chain:
        chain.entries += 1
        chain.prev = built.leaf_hash
    return SealedEntry(built.leaf, built.leaf_hash, openings, chain, built.disclosures)


def opening_context(origin: str, leaf_hash: bytes, opening_class: str) -> bytes:
    """Returns what an opening is bound to; not the index, so that sealing comes before the head's lock."""
    return f"{origin}\n{leaf_hash.hex()}\n{opening_class}".encode()


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
