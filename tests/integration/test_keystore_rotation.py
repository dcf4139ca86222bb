"""MASTER_KEY and the suppression keys go on to their successors while other processes know the old ones only."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from consentledger.consents.models import ConfirmationMail
from consentledger.consents.rehashing import rotate_suppression
from consentledger.contacts import service as contacts
from consentledger.contacts.address import fold
from consentledger.contacts.models import Suppression
from consentledger.contacts.suppression import carried, refusals
from consentledger.db.fsck import fsck
from consentledger.db.installation import Installation, open_installation
from consentledger.db.keystore import rotation as keystore_rotation
from consentledger.db.keystore.rotation import rewrap_keys
from consentledger.db.keystore.store import destroy_contact_keys
from consentledger.erasure import service as erasure
from consentledger.kernel.errors import ConfigurationError, ConflictError, IntegrityError
from consentledger.organisations.models import Organisation
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import People, people
from tests.support.installations import settings_from
from tests.support.keystores import Apart, apart
from tests.support.rotation import commands

ANN, BOB, EVA = "ann@example.com", "bob@example.com", "eva@example.com"
MASTER = "CONSENTLEDGER_MASTER_KEY"
NOON = "2026-03-02T12:00:00+00:00"
DAY = 86_400


@pytest.fixture(params=("sqlite+sqlite", "postgresql"))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Apart]:
    """An installation whose keys stand in the database, or in one of their own."""
    with apart(request, tmp_path, request.param) as opened:
        yield opened


@pytest.fixture
def shop(made: Apart) -> People:
    """A shop as the first process knows it."""
    return people(made.installation)


@pytest.fixture
def again(made: Apart, shop: People) -> Iterator[People]:
    """The same shop as another process knows it, its keys in memory since before any rotation."""
    other = open_installation(settings_from(made.environment))
    seen = People(other.database, shop.made)
    with other.database.read() as session:
        other.keystore.organisation(session, shop.org)
    yield seen
    other.database.close()


def _opened(made: Apart, *masters: str) -> Installation:
    return open_installation(settings_from({**made.environment, MASTER: ",".join(masters)}))


def test_a_new_master_key_takes_over_and_the_old_one_can_go(made: Apart, shop: People) -> None:
    shop.subscribe(ANN)
    old, new = made.environment[MASTER], secrets.token_urlsafe(32)
    size, leaf = shop.size(), shop.last_leaf()
    both = _opened(made, old, new)
    seen: list[tuple[int, int]] = []
    done = rewrap_keys(both.database, lambda *step: seen.append(step))
    assert (done.changed, done.done) == (done.keys, True)
    assert done.keys == 8  # one contact's, the day's, and the three of each organisation
    assert seen[-1] == (done.keys, done.keys)
    assert rewrap_keys(both.database).changed == 0
    shop.sign_up(BOB)  # a process that was not restarted still wraps under the old one
    assert rewrap_keys(both.database).changed == 1
    both.database.close()
    only = _opened(made, new)
    alone = People(only.database, shop.made)
    assert alone.kinds(ANN)[-1] == "consent.confirmed"
    alone.subscribe(BOB)
    assert fsck(only, shop.org, openings=True).ok
    assert shop.size() == size + 4 + 1
    assert leaf != shop.last_leaf()
    only.database.close()
    stale = _opened(made, old)
    with pytest.raises(ConfigurationError, match="MASTER_KEY"), stale.database.read() as session:
        stale.keystore.organisation(session, shop.org)
    stale.database.close()


def test_a_rotation_broken_off_goes_on_and_an_erasure_in_between_wins(
    made: Apart, shop: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (ANN, BOB, EVA):
        shop.subscribe(name)
    gone = shop.contact(BOB)
    assert gone is not None
    both = _opened(made, made.environment[MASTER], secrets.token_urlsafe(32))
    monkeypatch.setattr(keystore_rotation, "AT_ONCE", 1)
    write = keystore_rotation._write

    def erased_first(database, statement, changes):  # type: ignore[no-untyped-def]
        if any(change.get("key") == gone.key_id for change in changes):
            with database.begin() as tx:
                destroy_contact_keys(tx, shop.org, [gone.key_id])
        write(database, statement, changes)

    monkeypatch.setattr(keystore_rotation, "_write", erased_first)

    class BrokenOffError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 9:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        rewrap_keys(both.database, stop)
    rest = rewrap_keys(both.database)
    assert rest.changed in (1, 2)  # whether or not the erased one was looked at before the break
    with both.database.read() as session:
        assert gone.key_id not in both.keystore.contact_keys_many(session, shop.org, [gone.key_id])
    both.database.close()


def test_keys_of_another_master_key_stop_it(made: Apart, shop: People) -> None:
    shop.subscribe(ANN)
    wrong = _opened(made, secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    with pytest.raises(IntegrityError):
        rewrap_keys(wrong.database)
    wrong.database.close()


def _rotate(shop: People) -> int:
    with shop.database.begin() as tx:
        return rotate_suppression(tx, shop.org).version


def _refused(shop: People, address: str) -> bool:
    with shop.database.read() as session:
        keystore = shop.database.log.keystore
        return bool(refusals(session, keystore, shop.org, [fold(address)]))


def _hashes(shop: People) -> set[bytes]:
    with shop.database.read() as session:
        return {
            *session.scalars(select(Suppression.hash)),
            *session.scalars(select(ConfirmationMail.address_hash)),
        }


def test_a_refusal_outlives_its_keys_in_every_process(shop: People, again: People) -> None:
    shop.not_me(shop.ask(ANN) or b"")
    link = shop.ask(BOB)
    assert link is not None
    before = _hashes(shop)
    assert _rotate(again) == 2
    assert not before & _hashes(shop), "no row stands under the old key alone"
    for seen in (shop, again):
        assert _refused(seen, ANN)
        assert not _refused(seen, BOB)
        assert seen.decide(seen.sign_up(ANN)).decision == "suppressed"
    # The first process learned of the new key by looking up. It writes under it, too:
    assert _rotate(again) == 3
    shop.not_me(link)
    assert _refused(again, BOB)
    assert again.decide(again.sign_up(BOB)).decision == "suppressed"


def test_a_stale_process_stores_no_hash_under_the_old_key(shop: People, again: People) -> None:
    assert _rotate(again) == 2
    with shop.database.begin() as tx:
        keys = contacts.hold_suppression(tx, shop.org)
        hashed = contacts.suppression_hash(keys, fold(EVA))
        contacts.suppress(tx, shop.org, hashed, scope="all", reason="test", until_at=None)
    assert _refused(again, EVA)
    with shop.database.begin() as tx, pytest.raises(RuntimeError, match="hold_suppression"):
        contacts.suppress(tx, shop.org, hashed, scope="all", reason="test", until_at=None)


def test_not_me_after_the_expiry_works_across_a_rotation(shop: People, again: People) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        link = shop.ask(ANN)
        assert link is not None
        clock.shift(8 * DAY)
        erasure.expire_due(shop.database)
        erasure.erase_due(shop.database)
        run_destroy(shop)
        _rotate(again)
        shop.not_me(link)
        assert again.decide(again.sign_up(ANN)).decision == "suppressed"


def test_a_rotation_waits_for_whoever_is_storing_a_hash(shop: People, again: People) -> None:
    rotated = threading.Thread(target=_rotate, args=(again,))
    with shop.database.begin() as tx:
        keys = contacts.hold_suppression(tx, shop.org)
        rotated.start()
        hashed = contacts.suppression_hash(keys, fold(EVA))
        contacts.suppress(tx, shop.org, hashed, scope="all", reason="test", until_at=None)
    rotated.join()
    assert _refused(shop, EVA)
    assert _refused(again, EVA)
    assert hashed not in _hashes(shop)


def test_a_hash_that_was_kept_elsewhere_is_carried_on(shop: People) -> None:
    with shop.database.begin() as tx:
        hashed = contacts.suppression_hash(contacts.hold_suppression(tx, shop.org), fold(ANN))
    _rotate(shop)
    _rotate(shop)
    with shop.database.begin() as tx:
        keys = contacts.hold_suppression(tx, shop.org)
        assert carried(keys, hashed, 1) == contacts.suppression_hash(keys, fold(ANN))
        with pytest.raises(ConflictError):
            carried(keys, hashed, 4)


def test_the_commands_do_all_of_this(
    made: Apart,
    shop: People,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = commands(made.environment, monkeypatch, capsys)
    shop.not_me(shop.ask(ANN) or b"")
    code, said, _ = command("db", "upgrade")
    assert (code, "key store's schema is up to date" in said) == (0, "+" in made.pair)
    code, _, told = command("secrets", "rotate", "MASTER_KEY")
    assert (code, "lists one key only" in told) == (78, True)
    both = {"MASTER_KEY": f"{made.environment[MASTER]},{secrets.token_urlsafe(32)}"}
    code, said, _ = command("secrets", "rotate", "MASTER_KEY", **both)
    assert (code, said.splitlines()[0]) == (
        0,
        "8 keys: 8 wrapped anew under the newest master key.",
    )
    with shop.database.read() as session:
        wanted = select(Organisation.name).where(Organisation.organisation_id == shop.org)
        name = session.execute(wanted).scalar_one()
    code, said, _ = command("secrets", "rotate", "suppression", "--organisation", name, **both)
    assert (code, said.partition(": ")[2]) == (0, "2 hashes under 2 keys.\n")
    code, said, _ = command("secrets", "rotate", "suppression", **both)
    assert (code, said.count("hashes under")) == (0, 2)
    alone = {"MASTER_KEY": both["MASTER_KEY"].partition(",")[2]}
    opened = _opened(made, alone["MASTER_KEY"])
    assert _refused(People(opened.database, shop.made), ANN)
    opened.database.close()
