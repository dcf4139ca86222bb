"""Answers kept for a repeated Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), for 24 hours.

The row is claimed first, in the transaction of the act itself, and the answer is written at its end: either both
the act and its answer are committed, or neither, and the next try starts afresh.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from consentledger.accounts.models import IdempotentAnswer
from consentledger.db.keystore.store import keyed_hash
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import ConflictError, InputError

KEPT = timedelta(hours=24)
LONGEST_KEY = 255
LOCK_NOT_AVAILABLE = "55P03"
WAIT = "2s"


@dataclass(frozen=True, slots=True)
class Repeatable:
    """One request that may come again: the caller's key, and what it asks for (`target`: method and path)."""

    organisation_id: UUID
    key: str
    target: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """The row that this transaction owns, for `keep`."""

    organisation_id: UUID
    key_hash: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer that the first request got, and the hash that its key is kept under."""

    status: int
    body: Any = field(repr=False)
    key_hash: bytes = field(default=b"", repr=False)


def check_key(key: str) -> str:
    """Returns an Idempotency-Key: 1 to 255 printable ASCII characters."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise InputError(
            f"Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters",
            field="Idempotency-Key",
            reason="format",
        )
    return key


# Written once: to put a statement together anew costs a short request as much as to run it.
_TABLE = cast(Table, IdempotentAnswer.__table__)
_CLAIM = {
    name: dialect.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.key_hash)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_KEEP = (
    update(_TABLE)
    .where(_TABLE.c.organisation_id == bindparam("org"), _TABLE.c.key_hash == bindparam("key"))
    .values(status=bindparam("status"), sealed=bindparam("sealed"))
)
_WAIT_A_LITTLE = text(f"SET LOCAL lock_timeout = '{WAIT}'")
_WAIT_AS_EVER = text("SET LOCAL lock_timeout TO DEFAULT")


def claim(tx: Tx, repeatable: Repeatable) -> Claim | KeptAnswer:
    """Claims the key for this transaction, or returns the answer that was kept for it.

    InputError (`key_reused`) when the key came with another request before, ConflictError while the first one
    still runs.
    """
    organisation_id = repeatable.organisation_id
    key_hash, request_hash = _hashes(tx, repeatable)
    if _insert(tx, organisation_id, key_hash, request_hash):
        return Claim(organisation_id, key_hash)
    row = tx.session.execute(
        select(IdempotentAnswer)
        .where(
            IdempotentAnswer.organisation_id == organisation_id,
            IdempotentAnswer.key_hash == key_hash,
        )
        .with_for_update()
    ).scalar_one_or_none()
    if row is None or (row.status is None and row.kept_until > tx.now):
        raise ConflictError("the first request with this Idempotency-Key is still running")
    if row.kept_until <= tx.now:
        row.request_hash, row.status, row.sealed = request_hash, None, None
        row.kept_until = tx.now + KEPT
        return Claim(organisation_id, key_hash)
    if row.request_hash != request_hash:
        raise InputError(
            "this Idempotency-Key came with another request before",
            field="Idempotency-Key",
            reason="key_reused",
        )
    sealer = tx.log.keystore.organisation(tx.session, organisation_id).sealer
    kept = json.loads(sealer.open(row.sealed or b"", _context(key_hash)))
    return KeptAnswer(row.status or 0, kept, key_hash)


def keep(tx: Tx, claimed: Claim, status: int, body: Any) -> None:
    """Writes the answer into the claimed row, sealed; may follow the append (its row is locked already)."""
    sealer = tx.log.keystore.organisation(tx.session, claimed.organisation_id).sealer
    content = json.dumps(body, separators=(",", ":")).encode()
    tx.connection.execute(
        _KEEP,
        {
            "org": claimed.organisation_id,
            "key": claimed.key_hash,
            "status": status,
            "sealed": sealer.seal(content, _context(claimed.key_hash)),
        },
    )


def forget(tx: Tx, organisation_id: UUID, key_hash: bytes) -> None:
    """Deletes the answer of an act that came to nothing after all: its key may come again with anything."""
    tx.session.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.organisation_id == organisation_id,
            IdempotentAnswer.key_hash == key_hash,
        ),
        execution_options={"synchronize_session": False},
    )


def _insert(tx: Tx, organisation_id: UUID, key_hash: bytes, request_hash: bytes) -> bool:
    statement = _CLAIM[tx.database.name]
    row = {
        "organisation_id": organisation_id,
        "key_hash": key_hash,
        "request_hash": request_hash,
        "kept_until": tx.now + KEPT,
    }
    if tx.database.name == "sqlite":
        return tx.connection.execute(statement, row).one_or_none() is not None
    # A first request that runs holds the key's place in the index: wait a little for it, not for long.
    tx.connection.execute(_WAIT_A_LITTLE)
    try:
        made = tx.connection.execute(statement, row).one_or_none()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise ConflictError(
            "the first request with this Idempotency-Key is still running"
        ) from error
    tx.connection.execute(_WAIT_AS_EVER)
    return made is not None


def _hashes(tx: Tx, repeatable: Repeatable) -> tuple[bytes, bytes]:
    # Keyed, since a body may hold an address, and a plain hash of an address is as good as the address.
    key = tx.log.keystore.organisation(tx.session, repeatable.organisation_id).lookup
    body = hashlib.sha256(repeatable.body).hexdigest()
    return (
        keyed_hash(key, f"consentledger/idempotency-key/v1\n{repeatable.key}"),
        keyed_hash(key, f"consentledger/idempotent-request/v1\n{repeatable.target}\n{body}"),
    )


def _context(key_hash: bytes) -> bytes:
    return b"consentledger/idempotent-answer/v1\n" + key_hash
