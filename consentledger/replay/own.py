"""The entries of an organisation itself, told to the replay, and its rows held against it: small tables, batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import and_, exists, func, or_, select

from consentledger.db.base import Base
from consentledger.db.fsck.model import BLOCK, Report
from consentledger.db.fsck.opener import Opener, bytes_of, has_label
from consentledger.db.models import ContactEntry, LogLeaf
from consentledger.kernel.clock import from_text
from consentledger.kernel.errors import ConsentLedgerError, IntegrityError
from consentledger.ledger.leaf import parse_leaf
from consentledger.permits import queries as permits
from consentledger.replay.differences import table_differences
from consentledger.replay.model import Difference, Entry, Tables
from consentledger.replay.published import KINDS, PublishedReplay
from consentledger.replay.stored import OWNED, PUBLISHED, all_rows, rows_by_key

_HEAD = b"consentledger/leaf/v1\nkind "
AT_ONCE = 1_024
SMALL = (
    "organisation",
    "sender",
    "purpose",
    "wording",
    "form",
    "form_version",
    "adopted_pack",
    "category_tree",
    "permit_void",
)
# Of these an organisation may have very many: they are looked at block by block. A batch that no entry gives has
# rows that give no entry's root.
MANY = ("permit_batch", "message_batch", "link_use")
MANY_KINDS = ("permits.issued", "message.sent", "objection.recorded")
PUBLISHED_KINDS = tuple(kind for kind in KINDS if kind not in MANY_KINDS)


def own_replays(opener: Opener) -> Iterator[tuple[PublishedReplay, tuple[str, ...]]]:
    """Yields replays with the tables that each of them gives: what was published at once, batches block by block.

    What does not open has been told by the openings' walk.
    """
    published = PublishedReplay(opener.organisation_id)
    for indexes in indexes_of(opener, PUBLISHED_KINDS):
        tell(opener, indexes, published)
    yield published, SMALL
    for indexes in indexes_of(opener, MANY_KINDS):
        replay = PublishedReplay(opener.organisation_id)
        tell(opener, indexes, replay)
        yield replay, MANY


class Told(Protocol):
    """Whoever is told entries."""

    def tell(self, entry: Entry) -> None:
        """Takes one entry."""


def tell(opener: Opener, indexes: list[int], replay: Told) -> None:
    """Opens the entries at these indexes and tells them, in order."""
    leaves = opener.rows.leaves_at(indexes)
    leaves.sort(key=lambda row: row[0])
    for one in opener.open(leaves, opener.rows.openings_at(indexes), Report("", 0)):
        if one.values is None:
            continue
        at = from_text(str(one.values["at"]))
        blobs = tuple(one.blobs)
        entry = Entry(one.entry_index, 0, one.kind, one.leaf_hash, at, one.values, blobs, one.plain)
        replay.tell(entry)


def indexes_of(opener: Opener, kinds: Sequence[str]) -> Iterator[list[int]]:
    """Yields the indexes of the entries of these kinds that have no contact, block by block."""
    leaf: Any = LogLeaf.leaf
    heads = [_HEAD + kind.encode() + b"/" for kind in kinds]
    rows = opener.session.execute(
        select(LogLeaf.entry_index, func.substr(leaf, 1, 100))
        .where(LogLeaf.organisation_id == opener.organisation_id)
        .where(or_(*(func.substr(leaf, 1, len(head)) == head for head in heads)))
        .order_by(LogLeaf.entry_index)
        .execution_options(yield_per=AT_ONCE)
    )
    for part in rows.partitions(AT_ONCE):
        own = [index for index, start in part if not has_label(bytes(start))]
        if own:
            yield own


def stored_of(opener: Opener, replay: PublishedReplay, names: Sequence[str]) -> Tables:
    """Reads the stored rows beside a replay: small tables whole, the others by the keys that it gives."""
    session, org = opener.session, opener.organisation_id
    if names is SMALL:
        return all_rows(session, org, names)
    found = Tables()
    for name in names:
        found.rows[name] = rows_by_key(session, org, name, replay.tables.of(name)).of(name)
    return found


def own_differences(
    replay: PublishedReplay, names: Sequence[str], stored: Tables
) -> Iterator[Difference]:
    """Compares what an organisation published, its batches of permits, and the links used after an erasure."""
    for name in names:
        if name == "link_use":
            yield from _used_after_erasure(replay, stored)
        else:
            yield from table_differences(name, replay.tables.of(name), stored.of(name))


def _used_after_erasure(replay: PublishedReplay, stored: Tables) -> Iterator[Difference]:
    for key, row in replay.tables.of("link_use").items():
        kept = stored.of("link_use").get(key)
        if kept is None:
            yield Difference("link_use", key)
        elif (
            kept["entry_index"] < row["entry_index"]
        ):  # a later press of the same link may stand there
            yield Difference("link_use", key, ("entry_index",))


def permit_differences(opener: Opener) -> Iterator[Difference]:
    """Makes each batch's lines again from its rows and compares their root with the one in its entry."""
    session, org = opener.session, opener.organisation_id
    batch = PUBLISHED["permit_batch"].__table__
    query = select(batch.c.batch, batch.c.entry_index).where(batch.c.organisation_id == org)
    for number, index in session.execute(query.order_by(batch.c.entry_index)).all():
        try:
            made = permits.lines(session, org, number).root.hex()
            leaf = next((row[1] for row in opener.rows.leaves_at([index])), b"")
            if parse_leaf(bytes_of(leaf)).plain.get("root") != made:
                raise IntegrityError("its rows do not give the root in its entry")
        except (ConsentLedgerError, ValueError, KeyError, TypeError, IndexError) as error:
            yield Difference("permit", (number,), note=_sentence(error))


def _sentence(error: Exception) -> str:
    if isinstance(error, ConsentLedgerError):
        return str(error)
    return "its rows make no permit lines: a verdict or a value is not what was stored"


def ownerless(opener: Opener) -> Iterator[Difference]:
    """Names rows of contacts of whom the log knows no entry."""
    for name, model in OWNED.items():
        yield from _ownerless(opener, name, model)


def _ownerless(opener: Opener, name: str, model: type[Base]) -> Iterator[Difference]:
    table: Any = model.__table__
    keys = [one for one in table.primary_key if one.name != "organisation_id"]
    owned = exists().where(
        and_(
            ContactEntry.organisation_id == table.c.organisation_id,
            ContactEntry.contact_id == table.c.contact_id,
        )
    )
    rows = opener.session.execute(
        select(*keys)
        .where(table.c.organisation_id == opener.organisation_id)
        .where(table.c.contact_id.is_not(None), ~owned)
        .execution_options(yield_per=BLOCK)
    )
    for row in rows:
        yield Difference(name, tuple(row), surplus=True)
