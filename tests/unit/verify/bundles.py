"""The bundles of a log in memory: honest, or tampered with before the manifest is signed."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable

from consentledger.kernel.errors import VerificationError
from consentledger.law.first import packs
from consentledger.ledger import merkle
from consentledger.ledger.absence import Index, Labels, labels_of, read_index
from consentledger.ledger.bundle import BundleWriter, to_json
from consentledger.ledger.checkpoint import Checkpoint, sign_checkpoint
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.leaf import label, parse_leaf
from consentledger.ledger.tiles import WIDTH, tiles_of
from consentledger.verify.absence import absence_file, absence_range
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.chain import check_chains
from consentledger.verify.entries import Entry, Found
from consentledger.verify.records import CONTEXT, records_of, to_record
from consentledger.verify.report import Report
from consentledger.verify.rests import published_by
from consentledger.verify.story import stories
from tests.unit.verify.memory import Contact, MemoryLog


class BundledLog(MemoryLog):
    """A log that can be taken away."""

    def checkpoint(self, size: int | None = None) -> str:
        hashes = [b.leaf_hash for b in self.built[:size]]
        root = merkle.root_of(hashes)
        return sign_checkpoint(Checkpoint(self.origin, len(hashes), root), [self.signer])

    def policy(self) -> bytes:
        return f"log {self.signer.vkey}\nquorum none\n".encode()

    def disclosures(self, index: int) -> list[str]:
        hidden = self.hidden.get(index, set())
        return [d for name, d in self.built[index].disclosures if name not in hidden]

    def opened(self) -> list[Entry]:
        found = []
        for index, leaf in enumerate(self.built):
            parsed = parse_leaf(leaf.leaf)
            hidden = self.hidden.get(index, set())
            values = {n: _listed(v) for n, v in self.values[index].items() if n not in hidden}
            found.append(
                Entry(
                    index,
                    leaf.leaf_hash,
                    parsed,
                    KINDS[parsed.kind_name, parsed.version],
                    values,
                    f"entry {index}",
                )
            )
        return found

    def records(self) -> dict[str, bytes]:
        entries = self.opened()
        broken = check_chains(Found(entries, {}), Report(outside_policy=True))
        told = stories(entries, broken)
        try:
            return {path: to_record(r) for path, r in records_of(told, published_by(entries))}
        except VerificationError:  # what a test makes on purpose may not be tellable
            return {}

    def members(self, contacts: Iterable[Contact] = ()) -> dict[str, bytes]:
        """Everything of a bundle but its entries and manifest."""
        pack = packs.default_pack()
        members = {"README.txt": b"read me\n", "policy.txt": self.policy()}
        members["checkpoint"] = self.checkpoint().encode()
        members[f"rules/{pack.name}.toml"] = packs.pack_bytes(pack.id, pack.version)
        members[f"records/{CONTEXT}"] = b"{}\n"
        members |= {f"blobs/{name}": data for name, data in self.kept_blobs().items()}
        members |= {f"permits/{name}.json": to_json(value) for name, value in self.permits.items()}
        for contact in contacts:
            key = base64.urlsafe_b64encode(contact.key).rstrip(b"=").decode()
            value = {"contact": contact.name, "key": key}
            members[f"labels/{contact.name}.json"] = to_json(value)
            members |= self.absence(contact)
        return members | self.records()

    def indexes(self) -> list[tuple[int, Index]]:
        """Every log.index, as its own lines say."""
        parsed = [(i, parse_leaf(b.leaf)) for i, b in enumerate(self.built)]
        return [(i, read_index(p.plain, i)) for i, p in parsed if p.kind_name == "log.index"]

    def labels(self, first: int, size: int) -> Labels:
        """The labels of a range."""
        return Labels(labels_of(built.leaf for built in self.built[first:size]))

    def index(self, **changes: str) -> int:
        """Appends the log.index that is due; `changes` replace what it says."""
        first = self.indexes()[-1][1].size if self.indexes() else 0
        size = len(self.built)
        plain = self.labels(first, size).index(first, size).plain() | changes
        return self.add("log.index", {}, plain=plain, actor="worker")

    def absence_part(self, contact: Contact, entry: int, first: int, size: int) -> object:
        """What an honest writer says of one range: ValueError when the contact's next label is in it."""
        marks = {label(contact.key, n): n for n in range(contact.entries)}
        inside = labels_of(built.leaf for built in self.built[first:size])
        shown = [marks[mark] for mark in inside if mark in marks]
        labels = self.labels(first, size)
        return absence_range(entry, labels, contact.key, shown, contact.entries)

    def absence(self, contact: Contact) -> dict[str, bytes]:
        """What an honest writer says of a contact, unless a test made that impossible on purpose."""
        try:
            ranges = [
                self.absence_part(contact, entry, index.first, index.size)
                for entry, index in self.indexes()
            ]
        except (ValueError, VerificationError):
            return {}
        content = to_json(absence_file(contact.name, contact.entries, ranges))
        return {f"absence/{contact.name}.json": content}

    def kept_blobs(self) -> dict[str, bytes]:
        used = {
            str(value[1])
            for index, values in enumerate(self.values)
            for name, value in values.items()
            if isinstance(value, list) and value[:1] == ["sha256"]
            and name not in self.hidden.get(index, set())
        }  # fmt: skip
        return {name: data for name, data in self.blobs.items() if name in used}

    def entry_files(self, skip: Iterable[int] = (), tail: Iterable[int] = ()) -> dict[str, bytes]:
        """Proof and disclosures of every entry but those left out; only the leaf of those in `tail`."""
        note, hashes = self.checkpoint(), [b.leaf_hash for b in self.built]
        node = merkle.nodes_of(hashes)
        collected = _Collector()
        for index, built in enumerate(self.built):
            path = merkle.inclusion_proof(index, len(hashes), node)
            if index in tail:
                collected.add_tail(index, built.leaf, path, note)
            elif index not in skip:
                collected.add_entry(index, built.leaf, path, note, self.disclosures(index))
        return collected.members

    def bundle(
        self,
        contacts: Iterable[Contact] = (),
        *,
        change: Callable[[dict[str, bytes]], None] = lambda members: None,
        skip: Iterable[int] = (),
        tail: Iterable[int] = (),
    ) -> bytes:
        """The whole log as a small bundle; `change` may tamper before the manifest is signed."""
        files = self.entry_files(set(skip), set(tail))
        return self._write(files | self.members(contacts), change)

    def tiled(
        self,
        contacts: Iterable[Contact] = (),
        *,
        change: Callable[[dict[str, bytes]], None] = lambda members: None,
        shown: Callable[[int], bool] = lambda index: True,
    ) -> bytes:
        """The whole log as a large bundle, in tiles; `shown` tells which entries are opened."""
        hashes = [b.leaf_hash for b in self.built]
        size = len(hashes)
        collected = _Collector()
        node = merkle.nodes_of(hashes)
        for level, n, width in tiles_of(size):
            first = n * WIDTH
            row = [node(8 * level, first + i) for i in range(width)]
            collected.add_tile(level, n, row)
        for n in range((size + WIDTH - 1) // WIDTH):
            part = range(n * WIDTH, min(size, (n + 1) * WIDTH))
            opened = {i: self.disclosures(i) for i in part if shown(i)}
            collected.add_entry_bundle(n, [self.built[i].leaf for i in part], opened)
        return self._write(collected.members | self.members(contacts), change)

    def _write(
        self, members: dict[str, bytes], change: Callable[[dict[str, bytes]], None]
    ) -> bytes:
        change(members)
        file = io.BytesIO()
        writer = BundleWriter(file, self.evidence)
        for path, data in members.items():
            writer.add(path, data)
        writer.close()
        return file.getvalue()


class _Collector(BundleWriter):
    """Takes what a writer would write, so that a test can tamper before it is signed."""

    def __init__(self) -> None:
        self.members: dict[str, bytes] = {}

    def add(self, path: str, data: bytes) -> None:
        self.members[path] = data


def _listed(value: Value) -> Value:
    return list(value) if isinstance(value, tuple) else value


def journey() -> tuple[BundledLog, Contact, str, str]:
    """The main path: sign up, mail, confirm, permit, unsubscribe, denial; and a stranger's company."""
    log, anna, other = BundledLog(), Contact("anna"), Contact("bert")
    log.request(anna)
    log.mail(anna)
    log.request(other, "r-9")
    log.confirm(anna)
    allowed = log.issue(anna)
    log.withdraw(anna)
    denied = log.issue(anna, "withdrawn", "none", False, "withdrawn")
    log.index()
    return log, anna, allowed, denied


Change = Callable[[dict[str, bytes]], None]


def check(data: bytes, log: BundledLog | None = None, **more: bytes) -> Report:
    policy = (log or BundledLog()).policy()
    return verify_bundle(io.BytesIO(data), policy=policy, **more)


def wrong(report: Report) -> list[tuple[str | None, str | None]]:
    return [(f.file, f.rule) for f in report.findings if f.kind == "failed"]


def members(
    log: BundledLog, contacts: list[Contact], change: Change, tiled: bool = False
) -> Report:
    data = log.tiled(contacts, change=change) if tiled else log.bundle(contacts, change=change)
    return check(data, log)
