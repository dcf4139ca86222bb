"""One more suppression key of an organisation: in the key store first, then in the main database."""

from __future__ import annotations

import os
from uuid import UUID

from sqlalchemy import insert, select

from consentledger.db.keystore.keys import KEY_BYTES
from consentledger.db.keystore.store import SUPPRESSION, version_row
from consentledger.db.models import OrganisationKey
from consentledger.db.unit_of_work import Tx


def add_suppression_key(tx: Tx, organisation_id: UUID, version: int) -> bytes:
    """Stores the key of `version` and says in the main database that hashes stand under it; returns the key.

    In a store of its own the key is committed at once. One that is there already is from a rotation that died
    before its commit: no hash is under it, so it is taken.
    """
    keystore = tx.log.keystore
    row = keystore.organisation_row(organisation_id, SUPPRESSION, version, os.urandom(KEY_BYTES))
    if keystore.database is None:
        tx.connection.execute(insert(OrganisationKey), [row])
        wrapped = row["wrapped"]
    else:
        with keystore.database.write() as connection:
            wrapped = connection.scalar(
                select(OrganisationKey.wrapped).where(
                    OrganisationKey.organisation_id == organisation_id,
                    OrganisationKey.use == SUPPRESSION,
                    OrganisationKey.version == version,
                )
            )
            if wrapped is None:
                connection.execute(insert(OrganisationKey), [row])
                wrapped = row["wrapped"]
        tx.connection.execute(insert(OrganisationKey), [version_row(organisation_id, version)])
    return keystore.unwrap(wrapped, organisation_id, f"{SUPPRESSION}/{version}".encode())
