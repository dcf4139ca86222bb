"""Which rules held below an entry: packs by the hashes that the log adopted, and the category trees it published.

A pack's file in the bundle counts only where its bytes are what an entry adopted. What the project published is known
by its hash; any other pack is called unknown, and decides all the same: the organisation adopted it openly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consentledger.kernel.errors import InputError, VerificationError
from consentledger.law.first import packs as first
from consentledger.law.first.model import Pack as FirstPack
from consentledger.law.pack import Pack
from consentledger.law.products import CategoryTree
from consentledger.law.reading.loading import inherits, load
from consentledger.law.reading.packs import is_published
from consentledger.law.rulebook import Adopted, Rulebook, check_stricter
from consentledger.ledger.bundle import Bundle
from consentledger.verify.entries import Entry
from consentledger.verify.report import Report

PACK_RULE = "pack"
STRICTER_RULE = "pack.stricter"
CATEGORIES_RULE = "categories"


@dataclass(frozen=True, slots=True)
class FirstAdopted:
    """A pack of the first edition of the law, and the index of the entry that adopted it."""

    pack: FirstPack
    index: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What a bundle shows of an organisation's rules; `first` are packs of the first edition, by name."""

    first: Mapping[str, FirstAdopted] = field(default_factory=dict)
    packs: Mapping[tuple[str, str], Pack] = field(default_factory=dict)
    adoptions: Sequence[Entry] = ()
    trees: Sequence[tuple[int, CategoryTree]] = ()
    _books: dict[int, Rulebook] = field(default_factory=dict)

    def rulebook_below(self, index: int) -> Rulebook:
        """Returns the rules that held below an entry; VerificationError when a pack of them is not shown."""
        below = [entry for entry in self.adoptions if entry.index < index]
        if not below:
            return Rulebook(())
        newest = below[-1].index
        if newest not in self._books:
            found: dict[str, Adopted] = {}
            for entry in below:
                adopted = self._adopted(entry)
                found.pop(
                    adopted.pack.name, None
                )  # the newest adoption of each version stands last
                found[adopted.pack.name] = adopted
            self._books[newest] = Rulebook(tuple(found.values()))
        return self._books[newest]

    def tree_below(self, index: int) -> CategoryTree | None:
        """Returns the newest category tree that was published below an entry."""
        below = [tree for published, tree in self.trees if published < index]
        return below[-1] if below else None

    def _adopted(self, entry: Entry) -> Adopted:
        name = _name(entry)
        pack = self.packs.get((name, entry.need("hash")))
        if pack is None:
            raise VerificationError(_missing(entry), rule=PACK_RULE, file=f"rules/{name}.toml")
        return Adopted(pack, tuple(entry.texts("stricter")), tuple(entry.texts("accepts")))


def read_rules(bundle: Bundle, entries: Sequence[Entry], report: Report) -> Rules:
    """Reads the bundle's packs and trees; each pack must be what the log adopted, as it may be adopted."""
    adoptions = [e for e in entries if e.kind.name == "pack.adopted" and e.is_told]
    newer = [entry for entry in adoptions if entry.kind.version > 1]
    older, packs = _read_packs(bundle, adoptions, report)
    before: dict[str, str] = {}
    for entry in newer:
        with report.step(5, entry.file):
            pack = packs.get((_name(entry), entry.need("hash")))
            if pack is not None:
                _check_adoption(entry, pack, packs, before)
            else:
                report.noted(5, f"{_missing(entry)}.")
            before[_name(entry)] = entry.need("hash")
    return Rules(older, packs, newer, _read_trees(entries, report))


def _read_packs(
    bundle: Bundle, adoptions: Sequence[Entry], report: Report
) -> tuple[dict[str, FirstAdopted], dict[tuple[str, str], Pack]]:
    older: dict[str, FirstAdopted] = {}
    packs: dict[tuple[str, str], Pack] = {}
    by_hash: dict[tuple[str, str], Entry] = {}
    for entry in adoptions:
        by_hash.setdefault((_name(entry), entry.need("hash")), entry)
    files = {path[len("rules/") : -len(".toml")]: path for path in bundle.paths("rules")}
    for name, path in files.items():
        with report.step(5, path):
            data = bundle.read(path)
            adopted = by_hash.get((name, hashlib.sha256(data).hexdigest()))
            if adopted is None:
                raise VerificationError("the log never adopted this rule pack", rule=PACK_RULE)
            if adopted.kind.version == 1:
                one = _load_first(data, path, name)
                older[name] = FirstAdopted(one, adopted.index)
                known = first.is_published(one)
            else:
                pack = _load(bundle, files, data, name)
                packs[name, pack.hash] = pack
                known = is_published(pack)
            if known:
                report.passed(5, f"The rule pack {name} is the one published by the project.")
            else:
                report.noted(5, f"The rule pack {name} is unknown: the project did not publish it.")
    return older, packs


def _load_first(data: bytes, path: str, name: str) -> FirstPack:
    try:
        pack = first.load(data, file=path)
    except InputError as error:
        raise VerificationError(str(error), rule=PACK_RULE) from error
    _check_name(pack.name, name)
    return pack


def _load(bundle: Bundle, files: Mapping[str, str], data: bytes, name: str) -> Pack:
    try:
        pack = load(data, _parents(bundle, files, data), file=files[name])
    except InputError as error:
        raise VerificationError(str(error), rule=PACK_RULE) from error
    _check_name(pack.name, name)
    return pack


def _check_name(found: str, name: str) -> None:
    if found != name:
        raise VerificationError("the file is named after another rule pack", rule=PACK_RULE)


def _parents(bundle: Bundle, files: Mapping[str, str], data: bytes) -> dict[str, bytes]:
    """Returns the files of the packs that one inherits from; load() refuses the pack when one is missing."""
    found: dict[str, bytes] = {}
    parent = inherits(data)
    while parent is not None and parent in files and parent not in found:
        found[parent] = bundle.read(files[parent])
        parent = inherits(found[parent])
    return found


def _check_adoption(
    entry: Entry,
    pack: Pack,
    packs: Mapping[tuple[str, str], Pack],
    before: Mapping[str, str],
) -> None:
    """Nothing is adopted laxer than it is, and nothing before what it inherits from."""
    try:
        check_stricter(entry.texts("stricter"), entry.texts("accepts"), pack)
    except InputError as error:
        raise entry.wrong(
            f"it adopts {pack.name} laxer than it is: {error}", STRICTER_RULE
        ) from error
    if pack.parent is None:
        return
    adopted = before.get(pack.parent)
    if adopted is None or (pack.parent, adopted) not in packs:
        raise entry.wrong(
            f"{pack.name} inherits from {pack.parent}, which was not adopted before it", PACK_RULE
        )


def _read_trees(entries: Sequence[Entry], report: Report) -> list[tuple[int, CategoryTree]]:
    found: list[tuple[int, CategoryTree]] = []
    for entry in entries:
        if entry.kind.name != "categories.published" or not entry.is_told:
            continue
        with report.step(5, entry.file):
            version = entry.values["version"]
            if type(version) is not int or version != len(found) + 1:
                raise entry.wrong(
                    "the versions of the product categories do not count up", CATEGORIES_RULE
                )
            tree = CategoryTree(
                version, tuple(entry.texts("categories")), tuple(entry.texts("groups"))
            )
            if not tree.grouped <= tree.known:
                raise entry.wrong("a group is none of the categories", CATEGORIES_RULE)
            found.append((entry.index, tree))
    return found


def _name(entry: Entry) -> str:
    return f"{entry.need('pack')}@{entry.need('version')}"


def _missing(entry: Entry) -> str:
    return f"The rule pack {_name(entry)} that entry {entry.index} adopted is not in the bundle"
