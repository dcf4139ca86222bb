"""Steps 2 and 3: every entry of a bundle is in the tree, and its disclosures fit their commitments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import merkle
from consentledger.ledger.bundle import Bundle, entry_path
from consentledger.ledger.checkpoint import Checkpoint
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS, Kind
from consentledger.ledger.leaf import ParsedLeaf, check_disclosures, check_schema, parse_leaf
from consentledger.ledger.proof import parse_tlog_proof
from consentledger.verify.report import Report
from consentledger.verify.tree import read_tiles


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is in the tree; `values` holds what its disclosures open, maybe not all."""

    index: int
    leaf_hash: bytes
    parsed: ParsedLeaf
    kind: Kind
    values: Mapping[str, Value]
    file: str
    """The member that holds its disclosures, for messages."""

    def text(self, name: str) -> str | None:
        """Returns a text field, None when it is null or not opened."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def need(self, name: str) -> str:
        """Returns a text field that a check can't do without."""
        value = self.text(name)
        if value is None:
            raise self.wrong(f"{name} of this {self.kind.name} is not disclosed", "story")
        return value

    def texts(self, name: str) -> list[str]:
        """Returns a list field, empty when it is not opened."""
        value = self.values.get(name)
        return [str(item) for item in value] if isinstance(value, list) else []

    def wrong(self, message: str, rule: str) -> VerificationError:
        """Makes an error about this entry."""
        return VerificationError(f"entry {self.index}: {message}", rule=rule, file=self.file)

    @property
    def is_open(self) -> bool:
        """Tells whether every field is disclosed."""
        return len(self.values) == len(self.kind.fields)

    @property
    def is_told(self) -> bool:
        """Tells whether every core field is disclosed, so that the entry has its place in a story."""
        values = self.values
        if len(values) == len(self.kind.fields):
            return True
        return all(f.name in values for f in self.kind.fields if f.opening == "core")


@dataclass(frozen=True, slots=True)
class Found:
    """The bundle's entries by index, and the labels of leaves that only keep them company.

    `beside` are the indexes of all such leaves, with a label or without.
    """

    entries: list[Entry]
    company: dict[bytes, int]
    beside: set[int] = field(default_factory=set)

    def keep_company(self, index: int, leaf: bytes) -> None:
        """Takes a leaf of which nothing is opened."""
        label = parse_leaf(leaf).label
        if label is not None and self.company.setdefault(label, index) != index:
            raise VerificationError(
                f"entry {index} carries the same label as entry {self.company[label]}", rule="label"
            )
        self.beside.add(index)


def read_entries(bundle: Bundle, note: str, checkpoint: Checkpoint, report: Report) -> Found:
    """Returns the entries that are proved to be in the tree; failures go to the report."""
    tiled = any(path.startswith("tile/") for path in bundle.archive.members)
    paired = any(path.startswith("entries/") for path in bundle.archive.members)
    if tiled == paired:
        raise VerificationError(
            "a bundle holds either entries/ or tile/, and one of them", rule="bundle.layout"
        )
    found = Found([], {})
    if tiled:
        _from_tiles(bundle, checkpoint, report, found)
    else:
        found.entries.extend(_from_pairs(bundle, note, checkpoint, report))
    for path in bundle.paths("tail"):
        with report.step(2, path):
            index = int(path[len("tail/") : -len(".tlog-proof")])
            found.keep_company(index, _proved_leaf(bundle.read(path), index, note, checkpoint))
    found.entries.sort(key=lambda entry: entry.index)
    return found


def _from_pairs(
    bundle: Bundle, note: str, checkpoint: Checkpoint, report: Report
) -> Iterator[Entry]:
    proofs = [path for path in bundle.paths("entries") if path.endswith(".tlog-proof")]
    for path in bundle.paths("entries"):
        if path.endswith(".disclosures") and path[:-11] + "tlog-proof" not in bundle:
            report.failed(
                2, VerificationError("no proof beside it", rule="bundle.layout", file=path)
            )
    for path in proofs:
        index = int(path[len("entries/") : -len(".tlog-proof")])
        with report.step(2, path):
            leaf = _proved_leaf(bundle.read(path), index, note, checkpoint)
            opened = entry_path(index, "disclosures")
            with report.step(3, opened):
                yield open_entry(index, leaf, _lines(bundle.read(opened)), opened)


def _proved_leaf(data: bytes, index: int, note: str, checkpoint: Checkpoint) -> bytes:
    proof = parse_tlog_proof(data)
    if proof.index != index:
        raise VerificationError("the proof is of another entry", rule="c2sp.tlog-proof")
    if proof.checkpoint != note:
        raise VerificationError("the proof is of another checkpoint", rule="c2sp.tlog-proof")
    if proof.extra is None:
        raise VerificationError("the proof holds no leaf", rule="c2sp.tlog-proof")
    merkle.verify_inclusion(
        merkle.leaf_hash(proof.extra), index, checkpoint.size, proof.hashes, checkpoint.root
    )
    return proof.extra


def _from_tiles(bundle: Bundle, checkpoint: Checkpoint, report: Report, found: Found) -> None:
    for index, leaf, disclosures, file in read_tiles(bundle, checkpoint):
        with report.step(3, file):
            if disclosures is None:
                found.keep_company(index, leaf)
            else:
                found.entries.append(open_entry(index, leaf, disclosures, file))


def _lines(data: bytes) -> list[str]:
    if not data:
        return []
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise VerificationError("disclosures are not ASCII", rule="disclosure") from error
    if not text.endswith("\n"):
        raise VerificationError("disclosures do not end with a line feed", rule="disclosure")
    return text[:-1].split("\n")


def open_entry(index: int, leaf: bytes, disclosures: Sequence[str], file: str) -> Entry:
    """Parses a leaf that is in the tree, and opens it; VerificationError when anything does not fit."""
    parsed = parse_leaf(leaf)
    kind = KINDS.get((parsed.kind_name, parsed.version))
    if kind is None:
        raise VerificationError(
            f"entry {index} is of a kind that this version does not know:"
            f" {parsed.kind_name}/{parsed.version}; use a newer release",
            rule="schema",
        )
    values = check_disclosures(parsed, disclosures)
    check_schema(kind, parsed, values)
    return Entry(index, merkle.leaf_hash(leaf), parsed, kind, values, file)
