"""Entries out of evidence bundles: leaves from the proofs or tiles, and what they disclose, sealed anew."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.contacts.models import Contact
from consentledger.db.keystore.store import KeyStore, Sealer
from consentledger.db.log.entries import frame, opening_context
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import ConsentLedgerError, InputError, NotFoundError
from consentledger.ledger.bundle import Bundle, entry_path
from consentledger.ledger.checkpoint import parse_checkpoint
from consentledger.ledger.disclosure import Value
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.leaf import check_disclosures, parse_leaf
from consentledger.ledger.merkle import leaf_hash
from consentledger.ledger.note import split_note
from consentledger.ledger.proof import parse_tlog_proof
from consentledger.recovery.model import SavedEntry
from consentledger.verify.tree import read_tiles


class Resealer:
    """Seals what a bundle discloses under the keys that are here; what has none stays shut."""

    def __init__(
        self, session: Session, keystore: KeyStore, organisation_id: UUID, began_as: str
    ) -> None:
        self._session = session
        self._keystore = keystore
        self._organisation_id = organisation_id
        self._began_as = began_as

    def entry(
        self, index: int, leaf: bytes, disclosures: Sequence[str], blobs: Mapping[str, bytes]
    ) -> SavedEntry:
        """Returns the entry with its openings; without them when a field is not disclosed, or a key is gone."""
        parsed = parse_leaf(leaf)
        values = check_disclosures(parsed, disclosures)
        at, contact = values.get("at"), values.get("contact")
        owner = UUID(contact) if parsed.label and isinstance(contact, str) else None
        bare = SavedEntry(index, leaf, at if isinstance(at, str) else to_text(now()), (), owner)
        kind = KINDS.get((parsed.kind_name, parsed.version))
        sealer = self._sealer(owner) if owner or not parsed.label else None
        if kind is None or sealer is None:
            return bare
        contents: dict[str, list[str]] = {"core": []}
        for name, text in zip(values, disclosures, strict=True):
            contents.setdefault("technical" if name in kind.technical else "core", []).append(text)
        complete = {f.name for f in kind.fields if f.opening == "core"} <= values.keys()
        made = {name: "\n".join(texts).encode() for name, texts in contents.items() if texts}
        stored = [blobs[key] for name in kind.blobs if (key := _hash(values.get(name))) in blobs]
        if stored:
            made["copy"] = frame(stored)
        if not complete:
            return bare
        key_id, seal = sealer
        openings = tuple(
            (name, key_id, seal.seal(content, self._context(leaf, name)))
            for name, content in made.items()
        )
        return SavedEntry(index, leaf, bare.at, openings, owner)

    def _context(self, leaf: bytes, name: str) -> bytes:
        return opening_context(self._began_as, leaf_hash(leaf), name)

    def _sealer(self, contact_id: UUID | None) -> tuple[UUID | None, Sealer] | None:
        if contact_id is None:
            own = self._keystore.organisation(self._session, self._organisation_id)
            return None, own.sealer
        key_id = self._session.scalar(
            select(Contact.key_id).where(
                Contact.organisation_id == self._organisation_id, Contact.contact_id == contact_id
            )
        )
        if key_id is None:
            return None
        try:
            keys = self._keystore.contact_keys(self._session, self._organisation_id, key_id)
        except NotFoundError:
            return None
        return key_id, keys.sealer


def read_bundle(
    path: Path, origins: Container[str], resealer: Resealer, low: int, high: int
) -> Iterator[SavedEntry] | None:
    """Returns what a bundle shows of the entries [low, high), in order; None when it is of another log.

    InputError for what is no bundle.
    """
    with _named(path), path.open("rb") as file:
        text, _ = split_note(Bundle(file).read("checkpoint"))
        if parse_checkpoint(text).origin not in origins:
            return None
    return _read(path, resealer, low, high)


def _read(path: Path, resealer: Resealer, low: int, high: int) -> Iterator[SavedEntry]:
    with _named(path), path.open("rb") as file:
        bundle = Bundle(file)
        for index, leaf, disclosures in _shown(bundle, low, high):
            yield resealer.entry(index, leaf, disclosures, _blobs(bundle, leaf, disclosures))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except (ConsentLedgerError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: neither an export of this log nor a bundle: {error}",
            field="entries",
            reason="malformed",
        ) from error


def _shown(bundle: Bundle, low: int, high: int) -> Iterator[tuple[int, bytes, list[str]]]:
    if any(path.startswith("tile/") for path in bundle.archive.members):
        text, _ = split_note(bundle.read("checkpoint"))
        for index, leaf, opened, _file in read_tiles(bundle, parse_checkpoint(text)):
            if low <= index < high:
                yield index, leaf, list(opened or ())
        return
    for index in sorted(
        int(path[len("entries/") : -len(".tlog-proof")])
        for path in bundle.paths("entries")
        if path.endswith(".tlog-proof")
    ):
        if low <= index < high:
            proof = parse_tlog_proof(bundle.read(entry_path(index, "tlog-proof")))
            opened_text = bundle.read(entry_path(index, "disclosures")).decode("ascii")
            yield index, proof.extra or b"", opened_text.splitlines()


def _blobs(bundle: Bundle, leaf: bytes, disclosures: Sequence[str]) -> dict[str, bytes]:
    values = check_disclosures(parse_leaf(leaf), disclosures)
    names = (_hash(value) for value in values.values())
    return {
        name: bundle.read(f"blobs/{name}") for name in names if name and f"blobs/{name}" in bundle
    }


def _hash(value: Value) -> str:
    if isinstance(value, list) and len(value) == 4 and value[0] == "sha256":
        return str(value[1])
    return ""
