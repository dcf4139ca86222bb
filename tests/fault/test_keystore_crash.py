"""Two databases can't commit together: a process is killed at each step between them, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select

from consentledger.consents.rehashing import rotate_suppression
from consentledger.contacts.models import Contact
from consentledger.db.fsck import fsck
from consentledger.db.models import ContactKey
from consentledger.erasure import service as erasure
from consentledger.organisations.models import Organisation
from tests.factories import create_organisation
from tests.integration.test_contacts_alike import run_destroy
from tests.support.consents import People, people
from tests.support.keystore_driver import (
    BEFORE_COMMIT,
    BEHIND_COMMIT,
    BEHIND_KEYS,
    POINTS,
    Driver,
    driver,
)
from tests.support.keystores import Apart, apart

pytestmark = pytest.mark.fault
ANN, BOB = "ann@example.com", "bob@example.com"
# Every point on one pair; on the others the one at which the two databases differ.
STEPS = [("sqlite+sqlite", point) for point in POINTS] + [
    (pair, BEHIND_KEYS) for pair in ("postgresql+sqlite", "postgresql+postgresql")
]


@pytest.fixture(scope="module")
def drive() -> Iterator[Driver]:
    with driver() as running:
        yield running


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Apart]:
    with apart(request, tmp_path, request.param) as opened:
        yield opened


@pytest.fixture
def shop(made: Apart) -> People:
    """A shop with a subscriber who stays through everything."""
    shop = people(made.installation)
    shop.subscribe(BOB)
    return shop


def _count(shop: People) -> tuple[int, int]:
    """How many keys the store holds, and how many contacts the main database."""
    store = shop.database.log.keystore.database
    assert store is not None
    with store.read() as connection:
        keys = connection.scalar(select(func.count()).select_from(ContactKey)) or 0
    with shop.database.read() as session:
        return keys, session.scalar(select(func.count()).select_from(Contact)) or 0


def _sound(made: Apart, shop: People) -> None:
    """Everything is as if nothing had been killed: orphans go, every key belongs to a contact, the log opens."""
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2), tick=False):
        erasure.sweep(shop.database)
        assert erasure.sweep(shop.database)["keys"] == 0
    keys, contacts = _count(shop)
    assert keys == contacts
    report = fsck(made.installation, shop.org, openings=True)
    assert report.ok, report.findings
    assert shop.state(BOB) == "confirmed"


@pytest.mark.parametrize(("made", "point"), STEPS, indirect=["made"])
def test_a_sign_up_dies(made: Apart, shop: People, drive: Driver, point: str) -> None:
    with drive.stopped(made.environment, "sign_up", point, shop.made, ANN):
        pass
    done = point == BEHIND_COMMIT
    assert (shop.contact(ANN) is not None) == done
    assert shop.kinds(ANN) == (["consent.requested"] if done else [])
    _sound(made, shop)
    shop.subscribe(ANN)
    assert shop.state(ANN) == "confirmed"
    _sound(made, shop)


@pytest.mark.parametrize(("made", "point"), STEPS, indirect=["made"])
def test_a_destruction_dies(made: Apart, shop: People, drive: Driver, point: str) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(days=8), tick=False):
        shop.ask(ANN)
    gone = shop.contact(ANN)
    assert gone is not None
    assert erasure.expire_due(shop.database) == 1
    assert erasure.erase_due(shop.database) == 1
    with drive.stopped(made.environment, "destroy", point, shop.made):
        pass
    done = point == BEHIND_COMMIT
    assert (shop.contact(ANN) is None) == done
    keys, _ = _count(shop)
    if point in (BEHIND_KEYS, BEFORE_COMMIT):
        assert keys == 1, "the key is gone before the rows"
        assert fsck(made.installation, shop.org, openings=True).ok, "the log says it was erased"
        shop.sign_up(ANN)  # somebody who can't know comes back in between
    assert run_destroy(shop) == (0 if done else 1)
    with shop.database.read() as session:
        assert session.get(Contact, (shop.org, gone.contact_id)) is None
    _sound(made, shop)


@pytest.mark.parametrize(
    ("made", "point"),
    [("sqlite+sqlite", BEHIND_KEYS), ("sqlite+sqlite", BEFORE_COMMIT)],
    indirect=["made"],
)
def test_the_making_of_an_organisation_dies(
    made: Apart, shop: People, drive: Driver, point: str
) -> None:
    with drive.stopped(made.environment, "create_organisation", point, "second"):
        pass
    with shop.database.read() as session:
        assert "second" not in session.scalars(select(Organisation.name)).all()
    create_organisation(made.installation.database, made.installation.settings, name="second")
    _sound(made, shop)


@pytest.mark.parametrize(
    ("made", "point"),
    [
        ("sqlite+sqlite", BEFORE_COMMIT),
        ("postgresql+sqlite", BEHIND_KEYS),
        ("postgresql+postgresql", BEHIND_COMMIT),
    ],
    indirect=["made"],
)
def test_a_rotation_of_the_suppression_key_dies(
    made: Apart, shop: People, drive: Driver, point: str
) -> None:
    shop.not_me(shop.ask(ANN) or b"")
    with drive.stopped(made.environment, "rotate_suppression", point, shop.made):
        pass
    assert shop.decide(shop.sign_up(ANN)).decision == "suppressed"
    with shop.database.begin() as tx:
        # The key that was committed before the death is taken, not made a second time.
        assert rotate_suppression(tx, shop.org).version == (3 if point == BEHIND_COMMIT else 2)
    assert shop.decide(shop.sign_up(ANN)).decision == "suppressed"
    _sound(made, shop)
