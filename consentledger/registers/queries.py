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
from consentledger.registers.tree import Places, places_in
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
    """An import that decisions look into; `domains` tells whether it may list whole domains."""

    register: str
    number: int
    as_of: datetime
    entry_index: int
    count: int
    matched: str
    domains: bool
    salt: bytes = field(repr=False)


def salt_context(organisation_id: UUID, register: str) -> bytes:
    """Returns what a register's sealed salt is bound to."""
    return b"consentledger/register/v1\n%b\n%b" % (organisation_id.bytes, register.encode("ascii"))


def open_import(keys: OrganisationKeys, row: Any) -> Import:
    """Makes an import of its row; IntegrityError when its salt does not open."""
    salt = keys.sealer.open(row.sealed_salt, salt_context(row.organisation_id, row.register))
    return Import(
        row.register, row.number, row.as_of, row.entry_index, row.count, row.matched, row.domains, salt
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
    found: dict[str, set[str]] = {}
    wanted = list(dict.fromkeys(folded))
    for start in range(0, len(wanted), AT_ONCE):
        asked = _asked(wanted[start : start + AT_ONCE], imported)
        hashes = [(code, imported[code].number, one) for _, code, one in asked]
        for place in rows.found_among(session, organisation_id, hashes) if hashes else ():
            address, code, _ = asked[place]
            found.setdefault(address, set()).add(code)
    return {address: tuple(sorted(codes)) for address, codes in found.items()}


def _asked(
    addresses: Sequence[str], imported: Mapping[str, Import]
) -> list[tuple[str, str, bytes]]:
    asked = []
    for code, one in imported.items():
        known: dict[str, bytes] = {}  # a domain is hashed once
        for address in addresses:
            texts = texts_of(address, one.matched)
            for text in texts if one.domains else texts[:1]:
                if (hashed := known.get(text)) is None:
                    hashed = known[text] = entry_hash(one.salt, text)
                asked.append((address, code, hashed))
    return asked


def import_at(
    session: Session, keystore: KeyStore, organisation_id: UUID, register: str, entry_index: int
) -> Import:
    """Returns the import that an entry recorded; NotFoundError when it is forgotten or never was."""
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
    return open_import(keystore.organisation(session, organisation_id), row)


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

    It reads the whole import once, in flat memory. NotFoundError when the import is forgotten.
    """
    one = import_at(session, keystore, organisation_id, register, entry_index)
    targets = [entry_hash(one.salt, text) for text in texts_of(folded, one.matched)]
    hashes = rows.listed_by(session, organisation_id, register, one.number)
    places: Places = places_in(hashes, targets)
    return register_file(
        register, entry_index, str(contact_id), [places[target] for target in targets]
    )
