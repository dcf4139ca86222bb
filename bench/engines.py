"""Fresh, durable databases of both engines for a bench, with a log and contacts in them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert

from consentledger.contacts.models import Contact
from consentledger.db.engine import Database
from consentledger.db.keystore.store import KeyStore
from consentledger.db.log.append import Log
from consentledger.db.log.entries import Chain
from consentledger.db.log.head_mac import HeadMac
from consentledger.db.migrate import upgrade
from consentledger.kernel.ids import uuid7
from tests.support.postgres import run_server

ENGINES = ("sqlite", "postgresql")


@contextmanager
def fresh_url(engine: str) -> Iterator[str]:
    """Gives the address of an empty database: a file on disk, or a server of our own with fsync on."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="cl-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'bench.db'}"
        return
    given = os.environ.get("CONSENTLEDGER_BENCH_POSTGRES_URL")
    if given:
        yield given
        return
    with run_server(durable=True) as server:
        if server is None:
            raise SystemExit("PostgreSQL's server binaries are needed: run `make packages` as root")
        yield server.url("postgres")


@contextmanager
def fresh_database(engine: str) -> Iterator[Database]:
    """Gives a migrated database."""
    with fresh_url(engine) as url:
        database = Database(url, log=Log(KeyStore([b"m" * 32]), HeadMac([b"a" * 32])))
        upgrade(database)
        yield database
        database.close()


def make_log(database: Database, name: str = "bench") -> UUID:
    """Makes an organisation's keys and empty log."""
    organisation_id = uuid7()
    with database.begin() as tx:
        tx.log.keystore.create_organisation(tx.session, organisation_id)
        tx.log.create(tx, organisation_id, f"bench.example/log/{name}")
    return organisation_id


def make_contacts(database: Database, organisation_id: UUID, count: int) -> list[Chain]:
    """Makes `count` contacts with keys and returns their empty chains."""
    prepared = [database.log.keystore.prepare_contact(organisation_id) for _ in range(count)]
    chains = [
        Chain(uuid7(), one.keys, f"person{n}@example.org", 0, None)
        for n, one in enumerate(prepared)
    ]
    with database.begin() as tx:
        database.log.keystore.store_many(tx, organisation_id, prepared)
        tx.session.execute(
            insert(Contact),
            [
                {
                    "organisation_id": organisation_id, "contact_id": chain.contact_id,
                    "lookup": chain.contact_id.bytes * 2, "key_id": chain.keys.key_id,
                    "sealed_address": b"sealed", "standing": {}, "entries": 0,
                    "last_leaf_hash": None, "created_at": tx.now, "touched_at": tx.now,
                }
                for chain in chains
            ],
        )  # fmt: skip
    return chains
