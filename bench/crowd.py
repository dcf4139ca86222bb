"""A crowd to ask about: contacts with their standings, written straight into the table.

Their entries are left out: a permit reads the standing alone. Of ten people five confirmed, in as many countries; one
is a customer in Germany and one a firm in Britain, who may be written to without; two withdrew, one is a stranger. No
two standings are alike: days and numbers vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from bench.world import World
from consentledger.contacts import standing
from consentledger.contacts.queries import lookup_hashes
from consentledger.kernel.clock import now, to_text
from consentledger.organisations.categories import PublishCategories, publish_categories
from consentledger.organisations.packs import Adoption, AdoptPacks, adopt_packs

COLUMNS = (
    "organisation_id", "contact_id", "lookup", "key_id", "sealed_address", "standing", "entries",
    "last_leaf_hash", "created_at", "touched_at",
)  # fmt: skip
TYPES = (
    "uuid", "uuid", "bytea", "uuid", "bytea", "text", "int8", "bytea", "timestamptz", "timestamptz",
)  # fmt: skip
COUNTRIES = ("DE", "FR", "NL", "IT", "GB")
CUSTOMER, FIRM, STRANGER = 5, 6, 9
CATEGORY = "garden/seeds"
DAYS = 300
CHUNK = 10_000


def address(n: int) -> str:
    """The n-th person's address."""
    return f"person{n}@example.org"


def person(n: int) -> bytes:
    """The line that asks about the n-th person."""
    kind = n % 10
    if kind == FIRM:
        said = b'{"address":"%b","country":"GB","person":"legal"}\n'
    elif kind == CUSTOMER:
        said = b'{"address":"%b","country":"DE"}\n'
    else:
        said = b'{"address":"%%b","country":"%b"}\n' % COUNTRIES[kind % 5].encode()
    return said % address(n).encode()


def populate(made: World, count: int) -> None:
    """Adopts the packs, publishes the categories, makes the contacts among `count` people."""
    database, organisation_id = made.installation.database, made.made.organisation_id
    with database.begin() as tx:
        adoptions = tuple(Adoption(country) for country in COUNTRIES)
        adopt_packs(tx, AdoptPacks(organisation_id, adoptions, "bench"))
    with database.begin() as tx:
        tree = PublishCategories(organisation_id, ("garden", CATEGORY), ("garden",), "bench")
        publish_categories(tx, tree)
    names = ", ".join(COLUMNS)
    with database.begin() as tx:
        if made.engine == "sqlite":
            marks = ", ".join("?" * len(COLUMNS))
            statement = f"INSERT INTO contact ({names}) VALUES ({marks})"
            tx.driver.executemany(statement, map(_for_sqlite, _rows(made, count)))
            return
        with (
            tx.driver.cursor() as cursor,
            cursor.copy(f"COPY contact ({names}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(TYPES)
            for row in _rows(made, count):
                copy.write_row(row)
    with database.autocommit() as connection:
        connection.execute(text("ANALYZE contact"))


def _rows(made: World, count: int) -> Iterator[tuple[Any, ...]]:
    organisation_id, at = made.made.organisation_id, now()
    with made.installation.database.read() as session:
        keys = made.installation.keystore.organisation(session, organisation_id)
    first = int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0x8 << 60
    for start in range(0, count, CHUNK):
        people = [n for n in range(start, min(start + CHUNK, count)) if n % 10 != STRANGER]
        hashes = lookup_hashes(keys, [address(n) for n in people])
        for n, lookup in zip(people, hashes, strict=True):
            contact = UUID(int=first + (n << 28))  # in the order of coming, as ours are
            yield (
                organisation_id, contact, lookup, contact, b"s" * 60, _standing(made, n, contact), 3,
                b"h" * 32, at, at,
            )  # fmt: skip


def _standing(made: World, n: int, contact: UUID) -> str:
    """The n-th person's standing, as its row keeps it."""
    kind, day, told = n % 10, now() - timedelta(days=n // 10 % DAYS), standing.empty()
    if kind < CUSTOMER or kind > FIRM:
        key = standing.key_of(made.made.sender_id, made.made.purpose_ids[0], "email")
        state = "confirmed" if kind < CUSTOMER else "withdrawn"
        told["consents"][key] = {"id": str(contact), "state": state, "n": 2, "at": to_text(day)}
        if kind > FIRM:
            told["closed"] = {"email": 2}
    elif kind == CUSTOMER:
        told["customers"] = [
            {
                "id": str(contact), "n": n // 10 % 4, "channel": "email", "trigger": "sale_paid",
                "on": to_text(day)[:10], "ended_on": None, "categories": [CATEGORY],
                "flags": ["same_person", "directly", "offered", "told"], "country": "DE",
                "person": "natural", "capacity": None,
            }
        ]  # fmt: skip
    return orjson.dumps(told).decode()


def _for_sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    organisation, contact, lookup, key, *rest, created, touched = row
    times = (to_text(created), to_text(touched))
    return (organisation.hex, contact.hex, lookup, key.hex, *rest, *times)
