"""Appending to an organisation's log, inside the writing transaction, and always last in it.

The order is: own rows (sorted), then the head's row lock, then nothing. Leaves are built and sealed before the
lock; behind it come only the statements that need the index. Indexes are given out from head.size, so an event
is committed exactly when it is in the tree; a database sequence would leave gaps and commit out of order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from uuid import UUID

from sqlalchemy import insert, select

from consentledger.db.keystore.store import KeyStore
from consentledger.db.log import postgresql, sqlite
from consentledger.db.log.entries import Draft, Rows, SealedEntry, seal_entry
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.models import LogHead
from consentledger.db.unit_of_work import Tx
from consentledger.db.watch import Watch
from consentledger.kernel.clock import to_text
from consentledger.kernel.errors import NotFoundError
from consentledger.ledger.leaf import BuiltLeaf
from consentledger.ledger.merkle import EMPTY_ROOT, Frontier


@dataclass(frozen=True, slots=True)
class Head:
    """An organisation's locked head: origin, and the frontier of its tree."""

    origin: str
    frontier: Frontier


@dataclass(frozen=True, slots=True)
class Appended:
    """What an entry became: its index and leaf; its disclosures for the one receipt that shows them."""

    index: int
    built: BuiltLeaf

    @property
    def leaf(self) -> bytes:
        """The leaf's bytes."""
        return self.built.leaf

    @property
    def leaf_hash(self) -> bytes:
        """The leaf's hash."""
        return self.built.leaf_hash

    @property
    def disclosures(self) -> tuple[tuple[str, str], ...]:
        """The (name, disclosure) pairs that open the leaf."""
        return self.built.disclosures


class Log:
    """Appends entries and holds what that needs: the key store and the MAC of heads.

    `watch` holds every locked head against the guard, once the installation has opened one.
    """

    def __init__(self, keystore: KeyStore, heads: HeadMac) -> None:
        self.keystore = keystore
        self.heads = heads
        self.watch: Watch | None = None
        self._began_as: dict[UUID, str] = {}

    def create(self, tx: Tx, organisation_id: UUID, origin: str) -> None:
        """Makes the empty head of a new organisation's log."""
        empty = Frontier.empty()
        tx.session.execute(
            insert(LogHead).values(
                organisation_id=organisation_id,
                origin=origin,
                began_as=origin,
                size=0,
                root=EMPTY_ROOT,
                frontier=empty.to_bytes(),
                mac=self.heads.make(origin, empty),
            )
        )

    def append(self, tx: Tx, organisation_id: UUID, drafts: Sequence[Draft]) -> list[Appended]:
        """Seals the drafts, locks the head, writes everything and moves the head; the last act of a verb.

        Contacts' rows must be locked already, sorted by contact. Raises IntegrityError when the head's MAC
        does not hold (somebody changed the database by hand).
        """
        if not drafts:
            return []
        sealed = self.seal(tx, organisation_id, drafts)
        return self.append_sealed(tx, organisation_id, sealed, self.lock_head(tx, organisation_id))

    def seal(self, tx: Tx, organisation_id: UUID, drafts: Sequence[Draft]) -> list[SealedEntry]:
        """Builds and seals entries; may be done before the lock, and again under it when a row was patched."""
        keys = self.keystore.cached(organisation_id)
        sealer = (keys or self.keystore.organisation(tx.session, organisation_id)).sealer
        began_as, at = self.began_as(tx, organisation_id), to_text(tx.now)
        return [
            seal_entry(draft, began_as=began_as, organisation=sealer, at=at) for draft in drafts
        ]

    def lock_head(self, tx: Tx, organisation_id: UUID) -> Head:
        """Takes the head's row lock; from here on this transaction only reads, appends and commits.

        Raises FrozenError when the head contradicts the guard: the database was restored, truncated or forked.
        """
        tx.flush()
        tx.closed = True
        row = _engine(tx).lock_head(tx.driver, organisation_id)
        if row is None:
            raise NotFoundError("this organisation has no log")
        origin, size, root, frontier_bytes, mac = row
        frontier = Frontier.from_bytes(size, frontier_bytes)
        self.heads.check(origin, frontier, root, mac)
        if self.watch is not None:
            self.watch.check(origin, size, root)
        return Head(origin, frontier)

    def append_sealed(
        self, tx: Tx, organisation_id: UUID, sealed: Sequence[SealedEntry], head: Head
    ) -> list[Appended]:
        """Gives out the indexes and writes leaves, nodes, openings and the head, under the head's lock."""
        first = head.frontier.size
        frontier, nodes = head.frontier.append([entry.leaf_hash for entry in sealed])
        chains = {entry.chain.contact_id: entry.chain for entry in sealed if entry.chain}
        rows = Rows(
            organisation_id=organisation_id,
            first=first,
            entries=sealed,
            nodes=nodes,
            chains=list(chains.values()),
            size=frontier.size,
            root=frontier.root(),
            frontier=frontier.to_bytes(),
            mac=self.heads.make(head.origin, frontier),
            at=tx.now,
        )
        _engine(tx).write(tx.driver, rows)
        return [Appended(first + i, entry.built) for i, entry in enumerate(sealed)]

    def began_as(self, tx: Tx, organisation_id: UUID) -> str:
        """Returns the log's first origin, to which its openings are bound; it never changes."""
        cached = self._began_as.get(organisation_id)
        if cached is None:
            query = select(LogHead.began_as).where(LogHead.organisation_id == organisation_id)
            found = tx.session.execute(query).scalar_one_or_none()
            if found is None:
                raise NotFoundError("this organisation has no log")
            cached = self._began_as[organisation_id] = found
        return cached


def _engine(tx: Tx) -> ModuleType:
    return sqlite if tx.database.name == "sqlite" else postgresql
