"""Does every opening that is still there open its leaf? And is every one that is missing excused?"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consentledger.db.entries import open_disclosures, opening_context, unframe
from consentledger.db.fsck.model import BLOCK, Progress, Report
from consentledger.db.installation import Installation
from consentledger.db.keystore import Sealer
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.kernel.errors import ConsentLedgerError, NotFoundError
from consentledger.ledger.kinds import KINDS
from consentledger.ledger.leaf import check_blob, check_disclosures, parse_leaf

KEYS_KEPT = 10_000
ERASURE = b"consentledger/leaf/v1\nkind log.erasure/"


def check_openings(
    installation: Installation, session: Session, head: LogHead, report: Report, progress: Progress
) -> int:
    """Opens every entry's openings and checks them against its leaf; returns how many entries opened.

    An entry of which nothing is left must be named by a `log.erasure` (its plain ranges).
    """
    keys = _Keys(installation, session, head.organisation_id)
    erased = _erased_ranges(session, head.organisation_id)
    opened = 0
    for low in range(0, head.size, BLOCK):
        leaves = _leaves(session, head.organisation_id, low)
        openings = _openings(session, head.organisation_id, low)
        for index, leaf, digest in leaves:
            parts = openings.get(index, [])
            if not parts and any(first <= index <= last for first, last in erased):
                continue
            opened += 1
            try:
                _check_entry(head.began_as, leaf, digest, parts, keys)
            except ConsentLedgerError as error:
                report.add(f"opening {index}", str(error))
        progress(min(low + BLOCK, head.size), head.size)
    return opened


def _check_entry(
    began_as: str, leaf: bytes, digest: bytes, parts: list[Opening], keys: _Keys
) -> None:
    parsed = parse_leaf(leaf)
    disclosures: list[str] = []
    blobs: list[bytes] = []
    for part in parts:
        context = opening_context(began_as, digest, part.opening_class)
        content = keys.sealer(part.key_id).open(part.sealed, context)
        if part.opening_class == "copy":
            blobs = unframe(content)
        else:
            disclosures += open_disclosures(content)
    values = check_disclosures(parsed, disclosures)
    kind = KINDS[parsed.kind_name, parsed.version]
    missing = [
        field.name for field in kind.fields if field.opening == "core" and field.name not in values
    ]
    if missing:
        raise NotFoundError(
            f"the core opening lacks {', '.join(missing)}, and no log.erasure says why"
        )
    stored = [values[name] for name in kind.blobs if values.get(name) is not None]
    for blob in blobs:
        if not any(_matches(value, blob) for value in stored):
            raise NotFoundError("a stored blob belongs to none of the entry's fields")


def _matches(value: object, blob: bytes) -> bool:
    try:
        check_blob(value, blob)  # type: ignore[arg-type]
    except ConsentLedgerError:
        return False
    return True


class _Keys:
    """Sealers by key id, the organisation's under None; forgets all when it holds too many."""

    def __init__(self, installation: Installation, session: Session, organisation_id: UUID) -> None:
        self._installation = installation
        self._session = session
        self._organisation_id = organisation_id
        self._contacts: dict[UUID, Sealer] = {}

    def sealer(self, key_id: UUID | None) -> Sealer:
        keystore = self._installation.keystore
        if key_id is None:
            return keystore.organisation(self._session, self._organisation_id).sealer
        if key_id not in self._contacts:
            if len(self._contacts) >= KEYS_KEPT:
                self._contacts.clear()
            keys = keystore.contact_keys(self._session, self._organisation_id, key_id)
            self._contacts[key_id] = keys.sealer
        return self._contacts[key_id]


def _leaves(session: Session, organisation_id: UUID, low: int) -> list[tuple[int, bytes, bytes]]:
    query = (
        select(LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.leaf_hash)
        .where(LogLeaf.organisation_id == organisation_id)
        .where(LogLeaf.entry_index >= low, LogLeaf.entry_index < low + BLOCK)
        .order_by(LogLeaf.entry_index)
    )
    return [(row.entry_index, row.leaf, row.leaf_hash) for row in session.execute(query)]


def _openings(session: Session, organisation_id: UUID, low: int) -> dict[int, list[Opening]]:
    found: dict[int, list[Opening]] = {}
    query = (
        select(Opening)
        .where(Opening.organisation_id == organisation_id)
        .where(Opening.entry_index >= low, Opening.entry_index < low + BLOCK)
    )
    for opening in session.scalars(query):
        found.setdefault(opening.entry_index, []).append(opening)
    session.expunge_all()
    return found


def _erased_ranges(session: Session, organisation_id: UUID) -> list[tuple[int, int]]:
    return [
        bounds
        for leaf in session.scalars(
            select(LogLeaf.leaf)
            .where(LogLeaf.organisation_id == organisation_id)
            .where(func.substr(LogLeaf.leaf, 1, len(ERASURE)) == ERASURE)
        )
        for bounds in _ranges(parse_leaf(leaf).plain["ranges"])
    ]


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)
