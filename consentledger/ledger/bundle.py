"""The file an auditor takes away: which members it has, its signed manifest, its writer and reader."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from consentledger.kernel.errors import VerificationError
from consentledger.ledger import note, strict
from consentledger.ledger.archive import Archive, ArchiveWriter
from consentledger.ledger.note import Signer, Verifier
from consentledger.ledger.proof import TlogProof
from consentledger.ledger.tiles import tile_index, tile_path

RULE = "bundle.layout"
MANIFEST_RULE = "bundle.manifest"
MANIFEST = "manifest"
SMALL = 1_000
"""Up to so many entries have a file pair each; beyond, the bundle holds tiles."""
KEPT, SMALL_MEMBER = 32 * 2**20, 8 * 2**10
"""So many bytes of contents are kept while a bundle is read, of members up to this size."""
_INDEX = r"(?:0|[1-9][0-9]{0,17})"
_GROUPS = r"(?:x[0-9]{3}/){0,5}[0-9]{3}"
_LAYOUT = re.compile(
    rf"""(?:README\.txt | report\.pdf | policy\.txt | checkpoint | manifest
    | entries/{_INDEX}\.(?:tlog-proof|disclosures)
    | tile/(?:entries|[0-7])/{_GROUPS}(?:\.p/[1-9][0-9]{{0,2}})?
    | openings/{_GROUPS}\.ndjson
    | consistency/{_INDEX}\.txt
    | blobs/[0-9a-f]{{64}}
    | permits/[A-Za-z0-9_-]{{16}}\.json
    | (?:labels|absence)/[A-Za-z0-9-]{{1,64}}\.json
    | tail/{_INDEX}\.tlog-proof
    | registers/[A-Z0-9-]{{1,32}}@{_INDEX}\.json
    | sent/{_INDEX}-{_INDEX}\.json
    | rules/[A-Za-z0-9_-]{{1,64}}@[A-Za-z0-9.-]{{1,64}}\.toml
    | records/[A-Za-z0-9.-]{{1,128}}\.jsonld)\Z""",
    re.ASCII | re.VERBOSE,
)


def evidence_signer(origin: str, seed: bytes) -> Signer:
    """Returns the signer of an organisation's bundles: EVIDENCE_KEY under the name `<origin>/evidence`."""
    return Signer.from_seed(f"{origin}/evidence", seed)


def entry_path(index: int, suffix: str) -> str:
    """Returns the path of an entry's `tlog-proof` or `disclosures`."""
    return f"entries/{index}.{suffix}"


def openings_path(n: int) -> str:
    """Returns the path of the openings of entry bundle n (entries 256 n to 256 n + 255)."""
    return f"openings/{tile_index(n)}.ndjson"


def to_json(value: object) -> bytes:
    """Writes JSON in the one form that `from_json` accepts: keys sorted, no blanks, a line feed."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8") + b"\n"


def from_json(data: bytes) -> Any:
    """Reads JSON that is in its one form; anything else raises VerificationError."""
    try:
        value = json.loads(data.decode("utf-8"))
        again = to_json(value)
    except (ValueError, RecursionError) as error:
        raise VerificationError("the file is not JSON", rule="bundle.json") from error
    if again != data:
        raise VerificationError("the JSON is not in its canonical form", rule="bundle.json")
    return value


def manifest_text(hashes: Mapping[str, str]) -> str:
    """Returns the manifest's text: `<sha256>  <path>` lines sorted by path, as sha256sum reads them."""
    return "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))


class BundleWriter:
    """Writes a bundle member by member in flat memory; `close` adds the signed manifest."""

    def __init__(self, file: BinaryIO, signer: Signer) -> None:
        self._archive = ArchiveWriter(file)
        self._signer = signer
        self._hashes: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._hashes

    def add(self, path: str, data: bytes) -> None:
        """Adds one member; a path outside the layout or used twice raises ValueError."""
        if _LAYOUT.match(path) is None or path == MANIFEST or path in self._hashes:
            raise ValueError(f"{path!r} can't stand in a bundle, or stands there already")
        self._hashes[path] = hashlib.sha256(data).hexdigest()
        self._archive.add(path, data)

    def add_entry(
        self, index: int, leaf: bytes, path: Sequence[bytes], checkpoint: str, opened: Iterable[str]
    ) -> None:
        """Adds an entry's two files: proof with the leaf, and disclosures, one per line."""
        proof = TlogProof(index, tuple(path), checkpoint, leaf)
        self.add(entry_path(index, "tlog-proof"), proof.to_text().encode("utf-8"))
        lines = "".join(f"{disclosure}\n" for disclosure in opened)
        self.add(entry_path(index, "disclosures"), lines.encode("ascii"))

    def add_tail(self, index: int, leaf: bytes, path: Sequence[bytes], checkpoint: str) -> None:
        """Adds the proof of an entry of which only the leaf is shown, and nothing opened."""
        proof = TlogProof(index, tuple(path), checkpoint, leaf)
        self.add(f"tail/{index}.tlog-proof", proof.to_text().encode("utf-8"))

    def add_entry_bundle(
        self, n: int, leaves: Sequence[bytes], opened: Mapping[int, Sequence[str]]
    ) -> None:
        """Adds entry bundle n (c2sp.org/tlog-tiles) and the openings of those entries that are shown."""
        data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
        self.add(tile_path("entries", n, len(leaves)), data)
        lines = [
            to_json({"index": index, "disclosures": list(opened[index])})
            for index in sorted(opened)
        ]
        self.add(openings_path(n), b"".join(lines))

    def add_tile(self, level: int, n: int, hashes: Sequence[bytes]) -> None:
        """Adds tile n of a level."""
        self.add(tile_path(level, n, len(hashes)), b"".join(hashes))

    def close(self) -> None:
        """Signs the manifest and ends the zip."""
        signed = note.sign_note(manifest_text(self._hashes), [self._signer])
        self._archive.add(MANIFEST, signed.encode("utf-8"))
        self._archive.close()


class Bundle:
    """A bundle opened for reading: every member's name belongs to the layout; contents are untrusted."""

    def __init__(self, file: BinaryIO) -> None:
        self.archive = Archive(file)
        self._kept: dict[str, bytes] = {}
        self._room = KEPT
        for path in self.archive.members:
            if _LAYOUT.match(path) is None:
                raise VerificationError("bundles have no such file", rule=RULE, file=path)

    def __contains__(self, path: str) -> bool:
        return path in self.archive.members

    def read(self, path: str) -> bytes:
        """Returns one member's content; small ones are unpacked once."""
        found = self._kept.get(path)
        if found is None:
            found = self.archive.read(path)
            if len(found) <= SMALL_MEMBER <= self._room:
                self._kept[path] = found
                self._room -= len(found)
        return found

    def paths(self, folder: str) -> Iterator[str]:
        """Yields the paths below a folder, sorted."""
        prefix = folder + "/"
        return iter(sorted(path for path in self.archive.members if path.startswith(prefix)))

    def check_manifest(self) -> list[VerificationError]:
        """Compares every member with the manifest; returns what is wrong, each with its file."""
        text, _ = note.split_note(self.read(MANIFEST))
        listed = parse_manifest(text)
        wrong = []
        for path in sorted(listed.keys() | self.archive.members.keys()):
            if path == MANIFEST:
                continue
            problem = self._against(path, listed.get(path))
            if problem is not None:
                wrong.append(VerificationError(problem, rule=MANIFEST_RULE, file=path))
        return wrong

    def _against(self, path: str, listed: str | None) -> str | None:
        if listed is None:
            return "the file is not listed in the manifest"
        if path not in self:
            return "the manifest lists a file that is missing"
        if hashlib.sha256(self.read(path)).hexdigest() != listed:
            return "the file was changed: its hash is not the manifest's"
        return None

    def check_manifest_signature(self, keys: Sequence[Verifier]) -> None:
        """Checks the manifest's signature by one of the evidence keys that the log names."""
        note.open_note(self.read(MANIFEST), keys)


def parse_manifest(text: str) -> dict[str, str]:
    """Reads a manifest's text: sorted by path, nothing twice, nothing outside the layout."""
    listed: dict[str, str] = {}
    last = ""
    for line in strict.lines(text, rule=MANIFEST_RULE, what="the manifest"):
        digest, blank, path = line.partition("  ")
        if not blank or _LAYOUT.match(path) is None or path == MANIFEST or path <= last:
            raise VerificationError(
                "the manifest has a line that is malformed or out of order",
                rule=MANIFEST_RULE,
                file=MANIFEST,
            )
        strict.hex32(digest, rule=MANIFEST_RULE, what="a hash of the manifest")
        listed[path] = digest
        last = path
    return listed
