"""What a bundle is made from: leaves, openings, permits, read in pieces, opened only for one contact."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import LargeBinary, func, select, type_coerce
from sqlalchemy.orm import Session

from consentledger.db.keystore.store import KeyStore, Sealer
from consentledger.db.log.entries import open_disclosures, opening_context, unframe
from consentledger.db.models import LogHead, LogLeaf, Opening
from consentledger.kernel.errors import NotFoundError
from consentledger.permits.models import Permit, PermitBatch

CHUNK = 500
_PREFIX = b"consentledger/leaf/v1\nkind "
_KIND_LENGTH = 64


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """One leaf with whatever of it still opens; `blobs` by the hash that stands in its fields."""

    index: int
    leaf: bytes
    leaf_hash: bytes
    disclosures: tuple[str, ...] = field(repr=False)
    blobs: dict[str, bytes] = field(repr=False)


def origin_of(session: Session, organisation_id: UUID) -> str:
    """Reads the origin of an organisation's log."""
    origin = session.scalar(
        select(LogHead.origin).where(LogHead.organisation_id == organisation_id)
    )
    if origin is None:
        raise NotFoundError("this organisation has no log")
    return origin


def began_as(session: Session, organisation_id: UUID) -> str:
    """Reads the first origin of an organisation's log, to which its openings are bound."""
    query = select(LogHead.began_as).where(LogHead.organisation_id == organisation_id)
    return session.scalars(query).one()


def head_size(session: Session, organisation_id: UUID) -> int:
    """Reads how many entries an organisation's log has."""
    size = session.scalar(select(LogHead.size).where(LogHead.organisation_id == organisation_id))
    if size is None:
        raise NotFoundError("this organisation has no log")
    return size


def organisation_entries(
    session: Session, organisation_id: UUID, size: int
) -> list[tuple[int, str]]:
    """Reads index and kind (`name/version`) of the entries under the organisation's key, but permits.

    Entries of a contact that was erased before the act are among them: they name nobody.
    """
    kind = func.substr(LogLeaf.leaf, len(_PREFIX) + 1, _KIND_LENGTH)
    issued = _PREFIX + b"permits.issued/"
    query = (
        select(LogLeaf.entry_index, type_coerce(kind, LargeBinary))
        .join(
            Opening,
            (Opening.organisation_id == LogLeaf.organisation_id)
            & (Opening.entry_index == LogLeaf.entry_index),
        )
        .where(LogLeaf.organisation_id == organisation_id, LogLeaf.entry_index < size)
        .where(Opening.opening_class == "core", Opening.key_id.is_(None))
        .where(func.substr(LogLeaf.leaf, 1, len(issued)) != issued)
        .order_by(LogLeaf.entry_index)
        .execution_options(yield_per=CHUNK)
    )
    return [
        (index, bytes(text).partition(b"\n")[0].decode("ascii"))
        for index, text in session.execute(query)
    ]


def permits_of(
    session: Session, organisation_id: UUID, contact_id: UUID, size: int
) -> list[tuple[int, int, int]]:
    """Reads (entry index, batch, row) of every permit that names a contact, in the log's order."""
    query = (
        select(PermitBatch.entry_index, Permit.batch, Permit.row_number)
        .join(
            PermitBatch,
            (PermitBatch.organisation_id == Permit.organisation_id)
            & (PermitBatch.batch == Permit.batch),
        )
        .where(Permit.organisation_id == organisation_id, Permit.contact_id == contact_id)
        .where(PermitBatch.entry_index < size)
        .order_by(PermitBatch.entry_index, Permit.row_number)
    )
    return [(index, batch, row) for index, batch, row in session.execute(query)]


class Opener:
    """Opens leaves with the organisation's key and one contact's; what is erased stays shut."""

    def __init__(
        self,
        session: Session,
        keystore: KeyStore,
        organisation_id: UUID,
        began_as: str,
        contact: tuple[UUID, Sealer],
    ) -> None:
        self._session = session
        self._organisation_id = organisation_id
        self._began_as = began_as
        own = keystore.organisation(session, organisation_id).sealer
        self._sealers: dict[UUID | None, Sealer] = {None: own, contact[0]: contact[1]}

    def open(self, indexes: Sequence[int]) -> Iterator[OpenedLeaf]:
        """Yields the leaves of these indexes in order, `CHUNK` at a time."""
        for start in range(0, len(indexes), CHUNK):
            chunk = list(indexes[start : start + CHUNK])
            openings = self._openings(chunk)
            query = (
                select(LogLeaf.entry_index, LogLeaf.leaf, LogLeaf.leaf_hash)
                .where(LogLeaf.organisation_id == self._organisation_id)
                .where(LogLeaf.entry_index.in_(chunk))
                .order_by(LogLeaf.entry_index)
            )
            for index, leaf, leaf_hash in self._session.execute(query).all():
                yield self._opened(index, leaf, leaf_hash, openings.get(index, []))

    def _openings(self, indexes: Sequence[int]) -> dict[int, list[tuple[str, UUID | None, bytes]]]:
        query = select(
            Opening.entry_index, Opening.opening_class, Opening.key_id, Opening.sealed
        ).where(Opening.organisation_id == self._organisation_id, Opening.entry_index.in_(indexes))
        found: dict[int, list[tuple[str, UUID | None, bytes]]] = {}
        for index, opening_class, key_id, sealed in self._session.execute(query):
            found.setdefault(index, []).append((opening_class, key_id, sealed))
        return found

    def _opened(
        self,
        index: int,
        leaf: bytes,
        leaf_hash: bytes,
        openings: Sequence[tuple[str, UUID | None, bytes]],
    ) -> OpenedLeaf:
        disclosures: list[str] = []
        blobs: dict[str, bytes] = {}
        for opening_class, key_id, sealed in openings:
            sealer = self._sealers.get(key_id)
            if sealer is None:  # another contact's: never opened here
                continue
            context = opening_context(self._began_as, leaf_hash, opening_class)
            content = sealer.open(sealed, context)
            if opening_class == "copy":
                blobs = {hashlib.sha256(blob).hexdigest(): blob for blob in unframe(content)}
            else:
                disclosures += open_disclosures(content)
        return OpenedLeaf(index, leaf, leaf_hash, tuple(disclosures), blobs)


def leaf_range(session: Session, organisation_id: UUID, low: int, high: int) -> list[bytes]:
    """Reads the leaves [low, high)."""
    return list(
        session.scalars(
            select(LogLeaf.leaf)
            .where(LogLeaf.organisation_id == organisation_id)
            .where(LogLeaf.entry_index >= low, LogLeaf.entry_index < high)
            .order_by(LogLeaf.entry_index)
        )
    )
