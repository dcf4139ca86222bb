"""Opens entries, block by block: does every opening that is there open its leaf, is every missing one excused?"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from consentledger.db.fsck.fast import open_fast
from consentledger.db.fsck.model import Report
from consentledger.db.fsck.rows import RawRows
from consentledger.db.fsck.system import SystemEntries
from consentledger.db.keystore.store import ContactKeys, KeyStore
from consentledger.db.log.entries import open_disclosures, opening_context, unframe
from consentledger.db.models import LogHead
from consentledger.kernel.clock import now
from consentledger.kernel.errors import ConsentLedgerError, NotFoundError
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS, Kind
from consentledger.ledger.leaf import ParsedLeaf, check_blob, check_disclosures, parse_leaf
from consentledger.ledger.merkle import leaf_hash

KEYS_KEPT = 10_000
Keys = Mapping[Any, tuple[UUID, ContactKeys | None]]
"""Contacts' keys by their ids as the driver gives them."""
# The kinds whose own append stored the blobs that they name; others name a published wording's.
OWN_BLOBS = {
    "confirmation.prepared": ("mail",),
    "form.published": ("notice", "text"),
    "wording.published": ("notice", "text"),
}


class Told(NamedTuple):
    """One entry as far as it opens: `values` is None when nothing of it is left and that is excused."""

    entry_index: int
    kind: str
    label: bytes | None
    plain: Mapping[str, str]
    leaf_hash: bytes
    values: dict[str, Value] | None
    blobs: list[bytes]
    key_id: UUID | None
    appended_at: Any


class Opener:
    """Opens entries block by block; keeps the keys of some thousand contacts, and nothing per entry."""

    def __init__(
        self, keystore: KeyStore, session: Session, head: LogHead, system: SystemEntries
    ) -> None:
        self.session = session
        self.organisation_id = head.organisation_id
        self.began_as = head.began_as
        self.size = head.size
        self.system = system
        self.rows = RawRows(session, head.organisation_id)
        self.keystore = keystore
        self.organisation = keystore.organisation(session, head.organisation_id)
        self._keys: OrderedDict[UUID, ContactKeys | None] = OrderedDict()
        self._now = now()
        # Entries by label that nobody owns and that do not open: a rebuild looks for their contacts.
        self.homeless: dict[bytes, int] = {}

    def on(self, session: Session) -> Opener:
        """Returns the same opener on another session, for example a writing transaction's; keys are shared."""
        other = copy(self)
        other.session, other.rows = session, RawRows(session, self.organisation_id)
        return other

    def keys(self, key_ids: Iterable[UUID]) -> dict[UUID, ContactKeys | None]:
        """Returns contacts' keys, None for one that is not there; read at once, the latest are kept."""
        wanted = set(key_ids)
        found = {one: self._keys[one] for one in wanted if one in self._keys}
        missing = sorted(wanted - found.keys())
        if missing:
            found |= self._read_keys(missing)
        self._keys.update(found)
        for one in found:
            self._keys.move_to_end(one)
        while len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)
        return found

    def _read_keys(self, wanted: Sequence[UUID]) -> dict[UUID, ContactKeys | None]:
        try:
            read = self.keystore.contact_keys_many(self.session, self.organisation_id, wanted)
        except ConsentLedgerError:
            if len(wanted) == 1:  # it is there, and does not unwrap: as good as missing
                return {wanted[0]: None}
            # One bad key must not hide the others.
            return {one: keys for each in wanted for one, keys in self._read_keys([each]).items()}
        return {one: read.get(one) for one in wanted}

    def open(
        self, leaves: Sequence[Any], openings: Sequence[Any], report: Report, *, blobs: bool = True
    ) -> list[Told]:
        """Opens these leaves with their openings' rows; what is wrong goes into the report, by index."""
        parts: dict[int, list[Any]] = {}
        for row in openings:
            parts.setdefault(row[0], []).append(row)
        raw = {row[2] for row in openings if row[2] is not None}
        ids = {one: self.rows.uuid(one) for one in raw}
        known = self.keys(ids.values())
        keys = {one: (key_id, known[key_id]) for one, key_id in ids.items()}
        told = []
        for index, leaf, _, at in leaves:
            try:
                row = (index, bytes_of(leaf), at)
                entry = self._entry(row, parts.get(index, ()), keys, blobs)
                if entry.values is not None and not self.rows.is_instant(at, entry.values["at"]):
                    # Retention reads an entry's age here: it must not be made older than it is.
                    report.add(f"log_leaf {index}", "its appended_at is not its entry's own time")
                told.append(entry)
            except ConsentLedgerError as error:
                report.add(f"opening {index}", str(error))
        return told

    def _entry(
        self,
        row: tuple[int, bytes, Any],
        parts: Sequence[Any],
        keys: Keys,
        blobs: bool,
    ) -> Told:
        index, leaf, at = row
        digest = leaf_hash(leaf)
        if not parts and self.system.erased(index):
            return self._told(row, parse_leaf(leaf), digest, None, [], None)
        contents: dict[str, bytes] = {}
        key_id = None
        for _, name, key, sealed in parts:
            if key is not None:
                key_id = keys[key][0]
            if name == "copy" and not blobs:
                continue
            content = self._unseal(key, keys, digest, name, sealed)
            if content is not None:
                contents[name] = content
            elif not self.system.erased(index, name):
                raise NotFoundError(
                    "its key is missing or does not unwrap, and no log.erasure covers it"
                )
        stored = unframe(contents["copy"]) if "copy" in contents else []
        kept = stored if blobs else None
        usual = open_fast(leaf, contents.get("core"), contents.get("technical"))
        if usual is not None:
            kind, label, values = usual
            self._complete(row, kind, values, kept)
            return Told(index, kind.name, label, {}, digest, values, stored, key_id, at)
        return self._slowly(row, contents, digest, kept, key_id)

    def _slowly(
        self,
        row: tuple[int, bytes, Any],
        contents: Mapping[str, bytes],
        digest: bytes,
        kept: list[bytes] | None,
        key_id: UUID | None,
    ) -> Told:
        """The readers of ledger, which say what is wrong."""
        parsed = parse_leaf(row[1])
        disclosures = [
            one
            for name, content in contents.items()
            if name != "copy"
            for one in open_disclosures(content)
        ]
        values = check_disclosures(parsed, disclosures)
        kind = KINDS.get((parsed.kind_name, parsed.version))
        if kind is None:
            raise NotFoundError(f"nobody knows the kind {parsed.kind_name}/{parsed.version}")
        whole = self._complete(row, kind, values, kept)
        return self._told(row, parsed, digest, values if whole else None, kept or [], key_id)

    def _told(
        self,
        row: tuple[int, bytes, Any],
        parsed: ParsedLeaf,
        digest: bytes,
        values: dict[str, Value] | None,
        blobs: list[bytes],
        key_id: UUID | None,
    ) -> Told:
        name = parsed.kind_name
        return Told(row[0], name, parsed.label, parsed.plain, digest, values, blobs, key_id, row[2])

    def _unseal(
        self,
        key: Any,
        keys: Keys,
        digest: bytes,
        name: str,
        sealed: bytes,
    ) -> bytes | None:
        context = opening_context(self.began_as, digest, name)
        if key is None:
            return self.organisation.sealer.open(sealed, context)
        found = keys[key][1]
        return found.sealer.open(sealed, context) if found else None

    def _complete(
        self,
        row: tuple[int, bytes, Any],
        kind: Kind,
        values: dict[str, Value],
        stored: list[bytes] | None,
    ) -> bool:
        """Raises NotFoundError for what is missing without an excuse; False when core fields are, with one."""
        whole = True
        if len(values) != len(kind.fields):
            missing = [one for one in kind.fields if one.name not in values]
            for opening_class in ("core", "technical"):
                names = [one.name for one in missing if one.opening == opening_class]
                whole = whole and not (names and opening_class == "core")
                if names and not self._excused(row, opening_class):
                    raise NotFoundError(
                        f"the {opening_class} opening lacks {', '.join(names)}, and no log.erasure or"
                        " log.retention says why"
                    )
        if stored is None or not (stored or kind.name in OWN_BLOBS):
            return whole
        named = [values[name] for name in kind.blobs if values.get(name) is not None]
        for blob in stored:
            if not any(_matches(value, blob) for value in named):
                raise NotFoundError("a stored blob belongs to none of the entry's fields")
        own = [values.get(name) for name in OWN_BLOBS.get(kind.name, ())]
        wanted = sum(value is not None for value in own)
        if len(stored) < wanted and not self._excused(row, "copy"):
            raise NotFoundError(
                f"{wanted - len(stored)} of its blobs are missing, and no log.erasure or log.retention"
                " says why"
            )
        return whole

    def _excused(self, row: tuple[int, bytes, Any], opening_class: str) -> bool:
        try:
            at = self.rows.instant(row[2])
        except ConsentLedgerError:
            at = self._now
        return self.system.excused(row[0], opening_class, at, self._now)


def bytes_of(leaf: Any) -> bytes:
    """Returns a leaf's bytes; SQLite keeps whatever type was put in by hand, which the tree's walk names."""
    return leaf if isinstance(leaf, bytes) else str(leaf).encode()


def has_label(leaf: bytes) -> bool:
    """Says whether a leaf's third line is a label, without parsing the rest."""
    line = leaf.find(b"\n", 22)  # behind the header is the kind's line
    return leaf[line + 1 : line + 3] == b"s "


def _matches(value: object, blob: bytes) -> bool:
    try:
        check_blob(value, blob)  # type: ignore[arg-type]
    except ConsentLedgerError:
        return False
    return True
