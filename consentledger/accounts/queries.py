"""Reads of API keys."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consentledger.accounts import rules
from consentledger.accounts.models import ApiKey

_NO_SUCH_KEY = bytes(32)


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An API key without its secret."""

    organisation_id: UUID
    key_id: UUID
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None

    @property
    def actor(self) -> str:
        """How the log names who acted with this key."""
        return f"key:{self.key_id}"


_BY_ID = select(ApiKey).where(
    ApiKey.key_id == bindparam("key_id")
)  # written once: every call asks this


def authenticate(session: Session, token: str) -> KeyFacts:
    """Returns the key that a bearer token opens; UnauthorisedError for any other, in the same words.

    The key's id finds its organisation; an unknown id costs the same comparison as a wrong secret.
    """
    credential = rules.parse_key(token)
    row = session.scalar(_BY_ID, {"key_id": credential.key_id})
    fits = hmac.compare_digest(
        rules.hash_secret(credential.secret), row.secret_hash if row else _NO_SUCH_KEY
    )
    if row is None or not fits or row.revoked_at is not None:
        raise rules.unauthorised()
    return _facts(row)


def keys(session: Session, organisation_id: UUID) -> list[KeyFacts]:
    """Reads an organisation's keys, revoked ones too, oldest first."""
    rows = session.scalars(
        select(ApiKey).where(ApiKey.organisation_id == organisation_id).order_by(ApiKey.key_id)
    )
    return [_facts(row) for row in rows]


def _facts(row: ApiKey) -> KeyFacts:
    return KeyFacts(
        organisation_id=row.organisation_id,
        key_id=row.key_id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
