"""The rows of contacts' keys, written many at a time by the driver itself (docs/adr/0002): imports bring thousands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert

from consentledger.db.keystore.keys import PreparedKeys
from consentledger.db.models import ContactKey
from consentledger.kernel.clock import to_text

MANY = 16
_INSERT = insert(ContactKey.__table__)  # type: ignore[arg-type]
_SQLITE = "INSERT INTO contact_key (organisation_id, key_id, wrapped, made_at) VALUES (?, ?, ?, ?)"
_COPY = "COPY contact_key (organisation_id, key_id, wrapped, made_at) FROM STDIN (FORMAT BINARY)"
_TYPES = ("uuid", "uuid", "bytea", "timestamptz")


def insert_contact_keys(
    connection: Connection, organisation_id: UUID, prepared: Sequence[PreparedKeys], at: datetime
) -> None:
    """Inserts the rows of prepared keys in one statement, or by COPY."""
    if len(prepared) <= MANY:
        rows = [
            {
                "organisation_id": organisation_id,
                "key_id": one.keys.key_id,
                "wrapped": one.wrapped,
                "made_at": at,
            }
            for one in prepared
        ]
        connection.execute(_INSERT, rows)
        return
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        owner, made = organisation_id.hex, to_text(at)
        driver.executemany(
            _SQLITE, [(owner, one.keys.key_id.hex, one.wrapped, made) for one in prepared]
        )
        return
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for one in prepared:
            copy.write_row((organisation_id, one.keys.key_id, one.wrapped, at))
