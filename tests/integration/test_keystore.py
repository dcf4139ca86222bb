"""Keys in a database of their own: everything works as before, and the main database alone opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import delete, func, select

from consentledger.contacts import service as contacts
from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.fsck import fsck
from consentledger.db.installation import open_database, open_installation
from consentledger.db.keystore.store import destroy_contact_keys
from consentledger.db.migrate import upgrade
from consentledger.db.models import ContactKey, OrganisationKey
from consentledger.db.unit_of_work import KEYS_WAIT_SECONDS
from consentledger.erasure import service as erasure
from consentledger.kernel.errors import ConfigurationError, NotFoundError, UnavailableError
from tests.integration.test_contacts_alike import recorded, run_destroy
from tests.support.consents import People, people
from tests.support.installations import environment_for, settings_from
from tests.support.keystores import Apart, apart

ANN = "ann@example.com"
NOON = "2026-03-02T12:00:00+00:00"
DAY = 86_400


@pytest.fixture(params=("sqlite+sqlite", "postgresql+postgresql"))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Apart]:
    with apart(request, tmp_path, request.param) as opened:
        yield opened


@pytest.fixture
def shop(made: Apart) -> People:
    return people(made.installation, "weekly offers", "herb tips")


def _kept(database: Database) -> int:
    store = database.log.keystore.database
    assert store is not None
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(ContactKey)) or 0


def _clean(made: Apart, shop: People) -> None:
    report = fsck(made.installation, shop.org, openings=True)
    assert report.ok, report.findings


def test_the_path_of_a_person_leaves_no_key_in_the_main_database(made: Apart, shop: People) -> None:
    shop.subscribe(ANN)
    shop.unsubscribe(shop.permit(ANN))
    shop.subscribe("bob@example.com")
    assert shop.state(ANN) == "withdrawn"
    assert shop.kinds(ANN)[-1] == "consent.withdrawn"
    with shop.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ContactKey)) == 0
        wrapped = session.execute(select(OrganisationKey.use, OrganisationKey.wrapped)).all()
        assert {tuple(row) for row in wrapped} == {("suppression", b"")}
    assert _kept(shop.database) == 2
    _clean(made, shop)


def test_a_sign_up_makes_the_same_statements_for_every_address(made: Apart, shop: People) -> None:
    store = made.installation.keystore.database
    assert store is not None
    shop.subscribe("known@example.com")
    shop.sign_up("warm@example.com")
    seen = {}
    for name in ("known", "new"):
        with recorded(shop.database) as main, recorded(store) as keys:  # type: ignore[arg-type]
            shop.sign_up(f"{name}@example.com")
        seen[name] = (main, keys)
    assert seen["known"] == seen["new"]
    assert seen["new"][1], "the key was stored"


def test_expiry_takes_the_key_and_the_sweep_takes_the_orphans(made: Apart, shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop.ask(ANN)
        shop.sign_up(ANN)
        shop.subscribe("stays@example.com")
        clock.shift(7 * DAY + 1)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        assert run_destroy(shop) == 1
        assert shop.contact(ANN) is None
        # The key that the second sign-up did not take is an orphan; so may be those of the confirm path.
        before = _kept(shop.database)
        assert before > 1
        assert erasure.sweep(shop.database)["keys"] == before - 1
        assert _kept(shop.database) == 1
        assert erasure.sweep(shop.database)["keys"] == 0
    assert shop.state("stays@example.com") == "confirmed"
    _clean(made, shop)


def test_a_young_key_is_not_swept(shop: People) -> None:
    with shop.database.begin() as tx:
        prepared = tx.log.keystore.prepare_contact(shop.org)
        tx.log.keystore.store_many(tx, shop.org, [prepared])
        assert contacts.sweep_orphan_keys(tx) == 0
    assert _kept(shop.database) == 1


def test_a_transaction_that_outlives_its_keys_does_not_commit(
    shop: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from consentledger.db import unit_of_work

    size = shop.size()
    began = unit_of_work.monotonic()
    moments = iter((began, began + KEYS_WAIT_SECONDS + 1))
    monkeypatch.setattr(unit_of_work, "monotonic", lambda: next(moments))
    with pytest.raises(UnavailableError, match="keys may be gone"):
        shop.sign_up(ANN)
    monkeypatch.undo()
    assert shop.size() == size
    assert shop.contact(ANN) is None


def test_whoever_comes_back_between_key_and_rows_begins_anew(made: Apart, shop: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask(ANN)
        old = shop.contact(ANN)
        assert old is not None
        assert link is not None
        clock.shift(7 * DAY + 1)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        with shop.database.begin() as tx:  # what a destruction does first, before it dies
            destroy_contact_keys(tx, shop.org, [old.key_id])
        shop.not_me(link)
        assert "\ns " not in shop.last_leaf()
        shop.subscribe("other@example.com")
        shop.sign_up(ANN)
        fresh = shop.contact(ANN)
        assert fresh is not None
        assert fresh.contact_id != old.contact_id
        assert run_destroy(shop) == 1
        assert shop.kinds(ANN) == ["consent.requested"]
        with shop.database.read() as session:
            assert session.get(Contact, (shop.org, old.contact_id)) is None
    _clean(made, shop)


def test_a_missing_key_that_nobody_erased_is_told(made: Apart, shop: People) -> None:
    shop.subscribe(ANN)
    contact = shop.contact(ANN)
    assert contact is not None
    with shop.database.begin() as tx:
        destroy_contact_keys(tx, shop.org, [contact.key_id])
    with pytest.raises(NotFoundError, match="is missing"), shop.database.read() as session:
        made.installation.keystore.contact_keys(session, shop.org, contact.key_id)
    findings = fsck(made.installation, shop.org, openings=True).findings
    assert any("key" in one.message and "missing" in one.message for one in findings), findings


def test_many_keys_are_stored_and_read_at_once(shop: People) -> None:
    keystore = shop.database.log.keystore
    for count in (3, 100):
        prepared = [keystore.prepare_contact(shop.org) for _ in range(count)]
        with shop.database.begin() as tx:
            keystore.store_many(tx, shop.org, prepared)
            ids = [one.keys.key_id for one in prepared]
            found = keystore.contact_keys_many(tx.connection, shop.org, [*ids, shop.org])
        assert {key_id: keys.label for key_id, keys in found.items()} == {
            one.keys.key_id: one.keys.label for one in prepared
        }


def test_an_upgrade_brings_both_schemas_and_a_start_demands_both(
    empty_database_url: str, tmp_path: Path
) -> None:
    more = {"KEYSTORE_URL": f"sqlite:///{tmp_path / 'keys.db'}"}
    settings = settings_from(environment_for(empty_database_url, tmp_path, **more))
    database = open_database(settings)
    upgrade(database)
    database.close()
    open_installation(settings).database.close()
    (tmp_path / "keys.db").unlink()
    with pytest.raises(ConfigurationError, match="the key store's schema is empty"):
        open_installation(settings)


def _again(environment: dict[str, str], **changes: str) -> None:
    changed = {**environment, **{f"CONSENTLEDGER_{name}": value for name, value in changes.items()}}
    settings = settings_from(changed)
    database = open_database(settings)
    try:
        upgrade(database)
    finally:
        database.close()
    open_installation(settings).database.close()


def test_a_start_refuses_keys_that_are_not_its_own(
    made: Apart, shop: People, tmp_path: Path
) -> None:
    _again(made.environment)
    with pytest.raises(ConfigurationError, match="stand in a key store of their own"):
        _again(made.environment, KEYSTORE_URL="")
    with pytest.raises(ConfigurationError, match="is new, and this database has organisations"):
        _again(made.environment, KEYSTORE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(ConfigurationError, match="names the main database"):
        _again(made.environment, KEYSTORE_URL=made.environment["CONSENTLEDGER_DATABASE_URL"])
    main = f"sqlite:///{tmp_path / 'main.db'}"
    with pytest.raises(ConfigurationError, match="belongs to another installation"):
        _again(made.environment, DATABASE_URL=main, GUARD=str(tmp_path / "other"))


def test_a_start_refuses_an_older_copy_of_its_keys(made: Apart, shop: People) -> None:
    store = made.installation.keystore.database
    assert store is not None
    with store.write() as connection:
        connection.execute(delete(OrganisationKey))
    with pytest.raises(ConfigurationError, match="an older copy"):
        _again(made.environment)
