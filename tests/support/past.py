"""One rich history per engine, with a copy of the database after each act; attacks are made on copies of it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from consentledger.db.installation import open_database, open_installation
from consentledger.kernel.settings import Settings
from consentledger.ledger.note import Verifier
from consentledger.ledger.proof import TlogProof
from tests.support.attacks import Attacked, attacked, outside_policy
from tests.support.copies import Copies
from tests.support.databases import PostgresDatabases
from tests.support.history import History, leaf_hash_at, make_history, proof_of, size_of
from tests.support.installations import environment_for, settings_from

FILLED = 100  # one of many entries without a contact


@dataclass(frozen=True, slots=True)
class Moment:
    """The database after one act: how many entries our log had, and where the copy is."""

    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Past:
    """What was, and what people outside kept of it: a policy, the log's key, the proof of one entry."""

    environment: dict[str, str]
    settings: Settings
    history: History
    policy: bytes
    verifier: Verifier
    held: TlogProof
    held_hash: bytes
    moments: tuple[Moment, ...]
    copies: Copies
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextlib.contextmanager
    def copy(self, moment: Moment | None = None) -> Iterator[Attacked]:
        """Yields a copy of the last (or an earlier) moment beside a copy of the guard as it was in the end."""
        guard = self.folder / f"guard{next(self.numbers)}"
        with self.copies.copied((moment or self.moments[-1]).url) as url:
            yield attacked(self.settings, self.history, self.policy, url, guard)


@contextlib.contextmanager
def made_past(url: str, folder: Path, postgres: PostgresDatabases | None) -> Iterator[Past]:
    """Lets it happen in the fresh database `url`."""
    environment = environment_for(url, folder)
    settings = settings_from(environment)
    copies = Copies(folder, postgres)
    installation = open_installation(settings)
    taken: list[str] = []

    def moment() -> None:
        installation.database.close()
        taken.append(copies.take(url))

    history = make_history(installation, moment)
    org = history.organisation_id
    past = Past(
        environment,
        settings,
        history,
        outside_policy(installation, history),
        Verifier.from_vkey(installation.signer.vkey(history.origin)),
        proof_of(installation, org, FILLED),
        leaf_hash_at(installation, org, FILLED),
        tuple(Moment(_size(settings, history, copy), copy) for copy in taken),
        copies,
        folder,
    )
    installation.database.close()
    yield past
    copies.close()


def _size(settings: Settings, history: History, url: str) -> int:
    database = open_database(replace(settings, database_url=url))  # without the guard
    try:
        return size_of(database, history.organisation_id)
    finally:
        database.close()
