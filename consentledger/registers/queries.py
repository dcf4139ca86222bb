"""Reads of registers: what is current, whom it lists, and the proof of either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consentledger.db.keystore.store import KeyStore, OrganisationKeys
from consentledger.kernel.errors import NotFoundError
from consentledger.ledger.register import entry_hash, texts_of
from consentledger.registers import rows
from consentledger.registers.models import RegisterImport
from consentledger.registers.tree import Summary, Tree
from consentledger.verify.registers import register_file

CURRENT, REPLACED, LOADING, GIVEN_UP, FORGOTTEN = (
    "current",
    "replaced",
    "loading",
    "given_up",
    "forgotten",
)
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Import:
    """An import that decisions look into."""

    register: str
    number: int
    as_of: datetime
    entry_index: int
    count: int
    matched: str
    salt: bytes = field(repr=False)


def salt_context(organisation_id: UUID, register: str) -> bytes:
    """Returns what a register's sealed salt is bound to."""
    return b"consentledger/register/v1\n%b\n%b" % (organisation_id.bytes, register.encode("ascii"))


def open_import(keys: OrganisationKeys, row: Any) -> Import:
    """Makes an import of its row; IntegrityError when its salt does not open."""
    salt = keys.sealer.open(row.sealed_salt, salt_context(row.organisation_id, row.register))
    return Import(
        row.register, row.number, row.as_of, row.entry_index, row.count, row.matched, salt
    )  # fmt: skip


def imports(session: Session, keystore: KeyStore, organisation_id: UUID) -> dict[str, Import]:
    """Returns the current import of each register that an organisation ever imported, by code."""
    found = session.execute(
        select(RegisterImport.__table__)
        .where(RegisterImport.organisation_id == organisation_id, RegisterImport.state == CURRENT)
        .order_by(RegisterImport.register)
    ).all()
    if not found:
        return {}
    keys = keystore.cached(organisation_id) or keystore.organisation(session, organisation_id)
    return {row.register: open_import(keys, row) for row in found}


def listed(
    session: Session,
    organisation_id: UUID,
    folded: Iterable[str],
    imported: Mapping[str, Import],
) -> dict[str, tuple[str, ...]]:
    """Returns those folded addresses or numbers that any of these imports lists, with the codes, sorted.

    `imported` is what `imports` gave, or a part of it: without any there is no statement. One statement for
    5,000 addresses on PostgreSQL, one for 5,000 hashes of a register on SQLite.
    """
    if not imported:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    wanted = list(dict.fromkeys(folded))
    for start in range(0, len(wanted), AT_ONCE):
        found |= _listed(session, organisation_id, wanted[start : start + AT_ONCE], imported)
    return found


def _listed(
    session: Session,
    organisation_id: UUID,
    addresses: Sequence[str],
    imported: Mapping[str, Import],
) -> dict[str, tuple[str, ...]]:
    texts = {
        matched: {address: texts_of(address, matched) for address in addresses}
        for matched in {one.matched for one in imported.values()}
    }
    asked: list[tuple[str, str]] = []  # a domain that many share is asked for once
    for code, one in imported.items():
        every = dict.fromkeys(text for some in texts[one.matched].values() for text in some)
        asked += [(code, text) for text in every]
    hashes = [
        (code, imported[code].number, entry_hash(imported[code].salt, text)) for code, text in asked
    ]
    there = {asked[place] for place in rows.found_among(session, organisation_id, hashes)}
    if not there:
        return {}
    found = {}
    for address in addresses:
        codes = [
            code
            for code, one in imported.items()
            if any((code, text) in there for text in texts[one.matched][address])
        ]
        if codes:
            found[address] = tuple(sorted(codes))
    return found


def import_at(
    session: Session, keystore: KeyStore, organisation_id: UUID, register: str, entry_index: int
) -> Import:
    """Returns the import that an entry recorded; NotFoundError when it is forgotten or never was."""
    return _import_at(session, keystore, organisation_id, register, entry_index)[0]


def _import_at(
    session: Session, keystore: KeyStore, organisation_id: UUID, register: str, entry_index: int
) -> tuple[Import, Summary]:
    row = session.execute(
        select(RegisterImport.__table__).where(
            RegisterImport.organisation_id == organisation_id,
            RegisterImport.register == register,
            RegisterImport.entry_index == entry_index,
            RegisterImport.state.in_((CURRENT, REPLACED)),
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such import of a register is kept")
    one = open_import(keystore.organisation(session, organisation_id), row)
    return one, Summary(one.count, row.root or b"", row.blocks or b"")


def proof(
    session: Session,
    keystore: KeyStore,
    organisation_id: UUID,
    register: str,
    entry_index: int,
    contact_id: UUID,
    folded: str,
) -> dict[str, object]:
    """Returns the content of `registers/<code>@<index>.json`: whether that import lists a contact, provably.

    `folded` is the contact's address as ledger.register.fold_stored gives it.

    NotFoundError when the import is forgotten, IntegrityError when its rows were changed by hand.
    """
    one, summary = _import_at(session, keystore, organisation_id, register, entry_index)

    def fetch(low: bytes, high: bytes | None) -> list[bytes]:
        return rows.listed_between(session, organisation_id, register, one.number, low, high)

    tree = Tree(summary, fetch)
    targets = [entry_hash(one.salt, text) for text in texts_of(folded, one.matched)]
    looked = [tree.around(target) for target in targets]
    return register_file(register, entry_index, str(contact_id), looked)
