"""Installations whose keys stand in a database of their own: the main one's engine, +, the key store's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consentledger.db.installation import Installation, open_database, open_installation
from consentledger.db.migrate import upgrade
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.installations import environment_for, settings_from

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class Apart:
    """An installation with a key store of its own, and the variables that open it again."""

    pair: str
    installation: Installation
    environment: dict[str, str]


@contextlib.contextmanager
def apart(request: pytest.FixtureRequest, folder: Path, pair: str) -> Iterator[Apart]:
    """Yields a fresh installation on a pair of engines; both schemas made by the one upgrade.

    The name of one engine alone: the keys stand in the database.
    """
    main, _, store = pair.partition("+")
    with contextlib.ExitStack() as stack:
        postgres: PostgresDatabases | None = None
        if "postgresql" in pair:
            postgres = request.getfixturevalue("postgres")
        if main == "sqlite":
            copies: SqliteDatabases = request.getfixturevalue("sqlite")
            url = copies.copy(folder)
        else:
            assert postgres is not None
            url = stack.enter_context(postgres.clone())
        more = {"KEYSTORE_URL": f"sqlite:///{folder / 'keys.db'}"} if store else {}
        if store == "postgresql":
            assert postgres is not None
            more = {"KEYSTORE_URL": stack.enter_context(postgres.empty())}
        environment = environment_for(url, folder, **more)
        settings = settings_from(environment)
        migrated = open_database(settings)
        upgrade(migrated)
        migrated.close()
        installation = open_installation(settings)
        stack.callback(installation.database.close)
        yield Apart(pair, installation, environment)
