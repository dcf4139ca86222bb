"""Where it happens: several organisations with several forms each, on one installation as it is deployed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.engines import fresh_url
from bench.siege.peer import PostOffice
from bench.world import PROXY, World, served
from consentledger.db.installation import Installation, open_database, open_installation
from consentledger.db.migrate import upgrade
from consentledger.organisations import queries
from tests import factories
from tests.support.installations import environment_for, settings_from

ORIGIN = "https://shop.example"
SHOPS, FORMS = 5, 2  # more organisations than the cap over all of them lets mails through


@dataclass(frozen=True, slots=True)
class Form:
    """One published form as a page that embeds it knows it."""

    form_id: str
    purpose: str
    origin: str

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return f"/f/{self.form_id}"


@dataclass(frozen=True, slots=True)
class Shop:
    """One organisation: `sender` as POST /stop names it, `writes_as` as its mails are signed."""

    writes_as: str
    sender: str
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """What every visitor of a run is told: picklable, for they live in processes of their own."""

    port: int
    shops: tuple[Shop, ...]
    lasts: float = 0.0  # seconds
    people: float = 3.0  # who set out in a second
    ends_at: float = 0.0  # by the monotonic clock

    def opened(self, gate: Any) -> Town:
        """The town as a process finds it when all processes of visitors stand at its gate."""
        gate.wait(120)
        return replace(self, ends_at=time.monotonic() + self.lasts)

    @property
    def open(self) -> bool:
        """Says whether visitors may still set out."""
        return time.monotonic() < self.ends_at

    @property
    def forms(self) -> tuple[Form, ...]:
        """All forms, the popular one first."""
        return tuple(form for shop in self.shops for form in shop.forms)


@dataclass(frozen=True, slots=True)
class Place:
    """A town, the installation behind it, and its post office."""

    world: World
    town: Town
    post: PostOffice


@contextmanager
def founded(engine: str, shops: int = SHOPS, forms: int = FORMS) -> Iterator[Place]:
    """Builds a town on a fresh database, and its post office; nobody serves it yet."""
    with (
        PostOffice() as post,
        fresh_url(engine) as url,
        tempfile.TemporaryDirectory(prefix="cl-siege-") as folder,
    ):
        more = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(post.port), "MX_CHECK": "false"}
        environment = environment_for(url, Path(folder), **PROXY, **more)
        settings = settings_from(environment)
        database = open_database(settings)
        upgrade(database)
        database.close()
        installation = open_installation(settings)
        world, town = _build(engine, environment, installation, shops, forms)
        yield Place(world, town, post)
        installation.database.close()


@contextmanager
def at_work(place: Place) -> Iterator[Place]:
    """Runs the service as it is deployed: web in two processes behind one proxy, and a worker."""
    with served(place.world) as port, _worker(place.world.environment):
        yield replace(place, town=replace(place.town, port=port))


def _build(
    engine: str, environment: dict[str, str], installation: Installation, count: int, forms: int
) -> tuple[World, Town]:
    made = [_shop(installation, number, forms) for number in range(count)]
    shops = tuple(shop for _, shop in made)
    return World(engine, environment, installation, made[0][0]), Town(0, shops)


def _shop(installation: Installation, number: int, count: int) -> tuple[factories.MadeForm, Shop]:
    database, writes_as = installation.database, f"news@shop{number}.example"
    organisation = factories.create_organisation(database, installation.settings)
    owner = organisation.organisation_id
    sender = factories.create_sender(database, owner, from_address=writes_as)
    purpose = factories.create_purpose(database, owner)
    wording = factories.create_wording(database, owner, sender, purpose)
    ids = [factories.create_form(database, owner, sender, (wording,)) for _ in range(count)]
    with database.read() as session:
        published = queries.published_form(session, ids[0])
    made = factories.MadeForm(organisation, sender, (purpose,), (wording,), ids[0], published)
    forms = tuple(Form(str(one), str(purpose), ORIGIN) for one in ids)
    return made, Shop(writes_as, f"{organisation.number}-{sender.hex}", forms)


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "consentledger", "worker"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)


def networks(seed: int) -> Iterator[str]:
    """IPv4 addresses all over the world: what a botnet, or the people of a country, come from."""
    dice = random.Random(seed)
    while True:
        numbers = (dice.randrange(256), dice.randrange(256), dice.randrange(1, 255))
        yield ".".join(map(str, (dice.choice((24, 46, 78, 91, 151, 188)), *numbers)))
