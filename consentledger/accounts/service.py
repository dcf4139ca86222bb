"""Verbs for API keys: made once, shown once, revoked for ever; each making and revoking is an entry."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from consentledger.accounts import rules
from consentledger.accounts.models import ApiKey
from consentledger.db.log.entries import Draft
from consentledger.db.unit_of_work import Tx
from consentledger.kernel.errors import NotFoundError
from consentledger.kernel.ids import uuid7


@dataclass(frozen=True, slots=True)
class CreateKey:
    """A new key of an organisation: where it is used, and what it may do."""

    organisation_id: UUID
    name: str
    scopes: tuple[str, ...]
    actor: str = "operator"


@dataclass(frozen=True, slots=True)
class KeyCreated:
    """The new key; `token` is shown now and never again."""

    key_id: UUID
    name: str
    scopes: tuple[str, ...]
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Which key to revoke."""

    organisation_id: UUID
    key_id: UUID
    actor: str = "operator"


def create_key(tx: Tx, command: CreateKey) -> KeyCreated:
    """Makes a key of 256 random bits and keeps its hash (`configuration.changed` names its scopes)."""
    name, scopes = rules.check_name(command.name), rules.check_scopes(command.scopes)
    credential = rules.Credential(uuid7(), rules.new_secret(os.urandom(rules.SECRET_BYTES)))
    tx.session.add(
        ApiKey(
            organisation_id=command.organisation_id,
            key_id=credential.key_id,
            name=name,
            secret_hash=rules.hash_secret(credential.secret),
            scopes=list(scopes),
            created_at=tx.now,
        )
    )
    _record(tx, command.organisation_id, credential.key_id, ",".join(scopes), command.actor)
    return KeyCreated(credential.key_id, name, scopes, credential.text)


def revoke_key(tx: Tx, command: RevokeKey) -> bool:
    """Revokes a key at once and for ever; False when it was revoked before.

    NotFoundError for a key that is not, or is another organisation's.
    """
    row = tx.session.scalar(
        select(ApiKey)
        .where(ApiKey.organisation_id == command.organisation_id, ApiKey.key_id == command.key_id)
        .with_for_update()
    )
    if row is None:
        raise NotFoundError("there is no such key")
    if row.revoked_at is not None:
        return False
    row.revoked_at = tx.now
    _record(tx, command.organisation_id, command.key_id, None, command.actor)
    return True


def _record(tx: Tx, organisation_id: UUID, key_id: UUID, value: str | None, actor: str) -> None:
    draft = Draft(
        "configuration.changed", {"setting": f"key.{key_id}.scopes", "value": value}, actor=actor
    )
    tx.log.append(tx, organisation_id, [draft])
