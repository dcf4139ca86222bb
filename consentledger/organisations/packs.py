"""Adopting rule packs: which versions an organisation decides by, and what it made stricter; never laxer.

A pack of a country that inherits (`DE@1` from `EU@1`) is adopted behind its parent. The log keeps each adoption; the
table keeps the newest of each version. Only what this installation brings can be adopted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from threading import Lock
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import InputError, IntegrityError, NotFoundError
from consentledger.law.pack import Pack
from consentledger.law.reading import packs as brought
from consentledger.law.reading.choosing import named
from consentledger.law.reading.schemas import check
from consentledger.law.rulebook import Adopted, Rulebook, check_stricter
from consentledger.organisations import fields
from consentledger.organisations.categories import hold
from consentledger.organisations.models import AdoptedPack

MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Adoption:
    """One pack to adopt, `DE@1`, or `DE` for the version in force; words as law.rulebook.STRICTER has them."""

    pack: str
    stricter: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()


# What every organisation begins with: whoever's country has no adopted pack is judged by the strictest reading.
FIRST = Adoption("XX@1")


@dataclass(frozen=True, slots=True)
class AdoptPacks:
    """Packs to adopt in one append."""

    organisation_id: UUID
    adoptions: tuple[Adoption, ...]
    actor: str


@dataclass(frozen=True, slots=True)
class AdoptedFacts:
    """One version of a pack as the organisation adopted it last; `entry_index` is where that stands in the log."""

    pack: str
    version: str
    hash: str
    stricter: tuple[str, ...]
    accepts: tuple[str, ...]
    adopted_at: datetime
    entry_index: int

    @property
    def name(self) -> str:
        """`<pack>@<version>`."""
        return f"{self.pack}@{self.version}"


@dataclass(frozen=True, slots=True)
class PacksAdopted:
    """What an act adopted, and what it left as it was."""

    adopted: tuple[AdoptedFacts, ...]
    unchanged: tuple[AdoptedFacts, ...] = ()


def adopt_packs(tx: Tx, command: AdoptPacks) -> PacksAdopted:
    """Adopts packs, each parent before what inherits from it; the same adoption again changes and appends nothing.

    InputError names what is unknown, stands twice, is laxer than the pack, or is wrong in the pack's own file.
    """
    if not command.adoptions:
        raise fields.wrong("packs", "missing", "packs: name at least one rule pack")
    wanted = list(_resolved(command.adoptions, tx.now.date()))
    hold(tx, command.organisation_id)
    known = {one.name: one for one in adopted(tx.session, command.organisation_id)}
    fresh, unchanged = [], []
    for pack, adoption in _with_parents(wanted, known):
        before = known.get(pack.name)
        if before is not None and _same(before, pack, adoption):
            unchanged.append(before)
        else:
            fresh.append((pack, adoption))
    if not fresh:
        return PacksAdopted((), tuple(unchanged))
    drafts = [draft_of(pack, adoption, command.actor) for pack, adoption in fresh]
    entries = tx.log.append(tx, command.organisation_id, drafts)
    made = tuple(
        record(tx, command.organisation_id, pack, adoption, entry.index)
        for (pack, adoption), entry in zip(fresh, entries, strict=True)
    )
    return PacksAdopted(made, tuple(unchanged))


def first() -> Pack:
    """Returns the pack that every organisation begins with."""
    return brought.pack(FIRST.pack)


def draft_of(pack: Pack, adoption: Adoption, actor: str) -> Draft:
    """Makes the entry of one adoption."""
    values = {
        "pack": pack.id,
        "version": pack.version,
        "hash": pack.hash,
        "stricter": adoption.stricter,
        "accepts": adoption.accepts,
    }
    return Draft("pack.adopted", values, actor=actor)


def record(
    tx: Tx, organisation_id: UUID, pack: Pack, adoption: Adoption, entry_index: int
) -> AdoptedFacts:
    """Writes the row of one adoption, behind its entry and in place of an older one of the same version."""
    row = AdoptedPack(
        organisation_id=organisation_id,
        pack=pack.id,
        version=pack.version,
        hash=pack.hash,
        stricter=list(adoption.stricter),
        accepts=list(adoption.accepts),
        adopted_at=tx.now,
        entry_index=entry_index,
    )
    return _facts(tx.session.merge(row))


def _resolved(adoptions: Sequence[Adoption], today: date) -> Iterator[tuple[Pack, Adoption]]:
    seen: set[str] = set()
    for number, adoption in enumerate(adoptions):
        field = f"packs[{number}]"
        pack = _brought(adoption.pack, field, today)
        if pack.name in seen:
            raise fields.wrong(field, "double", f"{field}: {pack.name} stands here twice")
        seen.add(pack.name)
        stricter, accepts = tuple(sorted(adoption.stricter)), tuple(sorted(adoption.accepts))
        check_stricter(stricter, accepts, pack)
        yield pack, Adoption(pack.name, stricter, accepts)


def _brought(name: str, field: str, today: date) -> Pack:
    try:
        pack = named(name, today)
    except NotFoundError as error:
        raise InputError(f"{field}: {error}", field=field, reason="unknown") from error
    _check(pack.name)
    return pack


@cache
def _check(name: str) -> None:
    """Holds the file of a pack to its schema and to sense, before anybody decides by it; names file, key, reason."""
    parents: dict[str, bytes] = {}
    parent = brought.pack(name).parent
    while parent is not None:
        parents[parent] = brought.pack_bytes(parent)
        parent = brought.pack(parent).parent
    check(brought.pack_bytes(name), parents, file=f"{name}.toml")


def _with_parents(
    wanted: Sequence[tuple[Pack, Adoption]], known: Mapping[str, AdoptedFacts]
) -> Iterator[tuple[Pack, Adoption]]:
    """Yields what is wanted, with parents that nobody adopted yet, each before its children."""
    asked = {pack.name: (pack, adoption) for pack, adoption in wanted}
    done: set[str] = set()

    def behind_parents(pack: Pack, adoption: Adoption) -> Iterator[tuple[Pack, Adoption]]:
        if pack.name in done:
            return
        if pack.parent is not None:
            parent = asked.get(pack.parent)
            if parent is None and pack.parent not in known:
                parent = (brought.pack(pack.parent), Adoption(pack.parent))
            if parent is not None:
                yield from behind_parents(*parent)
        done.add(pack.name)
        yield pack, adoption

    for pack, adoption in wanted:
        yield from behind_parents(pack, adoption)


def _same(before: AdoptedFacts, pack: Pack, adoption: Adoption) -> bool:
    return (before.hash, before.stricter, before.accepts) == (
        pack.hash,
        adoption.stricter,
        adoption.accepts,
    )


def adopted(session: Session, organisation_id: UUID) -> list[AdoptedFacts]:
    """Reads what an organisation adopted, the newest adoption last."""
    query = select(AdoptedPack).where(AdoptedPack.organisation_id == organisation_id)
    return [_facts(row) for row in session.scalars(query.order_by(AdoptedPack.entry_index))]


def _facts(row: AdoptedPack) -> AdoptedFacts:
    return AdoptedFacts(
        row.pack,
        row.version,
        row.hash,
        tuple(row.stricter),
        tuple(row.accepts),
        row.adopted_at,
        row.entry_index,
    )


_kept: dict[tuple[UUID, int, datetime], Rulebook] = {}
_keeping = Lock()
# Written once: every permit asks this.
_NEWEST = (
    select(AdoptedPack.entry_index, AdoptedPack.adopted_at)
    .where(AdoptedPack.organisation_id == bindparam("org"))
    .order_by(AdoptedPack.entry_index.desc())
    .limit(1)
)


def rulebook(session: Session, organisation_id: UUID) -> Rulebook:
    """Returns the rules that an organisation decides by; the same object until something is adopted.

    IntegrityError when an adopted pack is not among the installation's, or is another file by now.
    """
    newest = session.execute(_NEWEST, {"org": organisation_id}).one_or_none()
    if newest is None:
        return Rulebook(())
    found = _kept.get((organisation_id, newest.entry_index, newest.adopted_at))
    if found is not None:
        return found
    rows = adopted(session, organisation_id)
    found = Rulebook(tuple(_as_adopted(one) for one in rows))
    with _keeping:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        # Under what was read last: an adoption may have come between the two statements.
        _kept[organisation_id, rows[-1].entry_index, rows[-1].adopted_at] = found
    return found


def _as_adopted(one: AdoptedFacts) -> Adopted:
    try:
        pack = brought.pack(one.name)
    except NotFoundError as error:
        raise IntegrityError(
            f"the rule pack {one.name} was adopted, and this installation does not bring it"
        ) from error
    except InputError as error:
        raise IntegrityError(f"an adopted rule pack was changed: {error}") from error
    if pack.hash != one.hash:
        raise IntegrityError(f"the rule pack {one.name} is not the file that was adopted")
    return Adopted(pack, one.stricter, one.accepts)
