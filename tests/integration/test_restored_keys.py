"""A database put back from a backup beside a key store that was not: no key dies that a recovery will need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from consentledger.contacts.orphans import ORPHAN_AGE, sweep_orphan_keys
from consentledger.db.installation import Installation
from consentledger.db.models import ContactKey
from tests.factories import create_organisation, create_published_form
from tests.support.keystores import apart
from tests.support.mails import sign_up
from tests.support.restores import backup


@pytest.fixture(params=["sqlite+sqlite", "postgresql+postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    with apart(request, tmp_path, request.param) as made:
        yield made.installation


def keys(installation: Installation) -> int:
    store = installation.keystore.database
    assert store is not None
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(ContactKey)) or 0


def grow_old(installation: Installation) -> None:
    """Makes every key look older than an orphan has to be."""
    store = installation.keystore.database
    assert store is not None
    with store.write() as connection:
        found = connection.execute(select(ContactKey.key_id, ContactKey.made_at)).all()
        for key_id, made_at in found:
            early = made_at - ORPHAN_AGE - timedelta(minutes=1)
            connection.execute(
                update(ContactKey).where(ContactKey.key_id == key_id).values(made_at=early)
            )


def sweep(installation: Installation) -> int:
    with installation.database.begin() as tx:
        return sweep_orphan_keys(tx)


def test_a_frozen_log_loses_no_key(installation: Installation) -> None:
    made = create_published_form(installation.database, installation.settings, noise=False)
    other = create_organisation(installation.database, installation.settings)
    installation.signer.sign_due()
    with backup(installation.database) as taken:
        sign_up(installation.database, made.form, "pia@person.example")
        installation.signer.sign_due()
        with installation.database.begin() as tx:  # a sign-up that failed behind its key
            prepared = tx.log.keystore.prepare_contact(other.organisation_id)
            tx.log.keystore.store_many(tx, other.organisation_id, [prepared])
        grow_old(installation)
        assert keys(installation) == 2
        taken.restore()
        assert sweep(installation) == 1  # the other organisation's log is whole
        assert keys(installation) == 1


def test_an_organisation_that_the_backup_lacks_loses_no_key(installation: Installation) -> None:
    with backup(installation.database) as taken:
        made = create_published_form(installation.database, installation.settings, noise=False)
        sign_up(installation.database, made.form, "pia@person.example")
        installation.signer.sign_due()
        grow_old(installation)
        taken.restore()
        assert sweep(installation) == 0
        assert keys(installation) == 1
