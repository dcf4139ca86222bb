"""Promise 4: a sign-up and a stop by address do the same for every address, and in few round trips."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from sqlalchemy import event

from consentledger.contacts import service as contacts
from consentledger.db.engine import Database
from consentledger.db.installation import Installation
from consentledger.erasure import service as erasure
from consentledger.outbox.models import OutboxRow
from tests.support.consents import People, people

KNOWN = ("new", "pending", "confirmed", "withdrawn", "blocked", "expired", "paused")
# BEGIN and COMMIT included. The log's own two statements (lock the head, append) go to the driver and are not
# seen here; with the limits' upsert and the form's stamp before it a sign-up makes eight round trips on
# PostgreSQL (bench/ counts them on the wire).
MOST_STATEMENTS = {"postgresql": 4, "sqlite": 7}


@contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, int]]]:
    """Records every statement with the number of rows it touched, BEGIN and COMMIT included."""
    seen: list[tuple[str, int]] = []
    engine = database.write_engine

    def after(_c: Any, cursor: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        seen.append((re.sub(r"\s+", " ", statement).strip(), cursor.rowcount))

    def begin(_connection: Any) -> None:
        seen.append(("BEGIN", -1))

    def commit(_connection: Any) -> None:
        seen.append(("COMMIT", -1))

    listeners = (("after_cursor_execute", after), ("begin", begin), ("commit", commit))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


@pytest.fixture
def shop(installation: Installation) -> People:
    """A shop that knows people in every state there is."""
    made = people(installation)
    with time_machine.travel("2026-01-01T12:00:00+00:00", tick=False) as clock:
        made.ask("expired@example.com")
        clock.shift(8 * 86_400)
        erasure.expire_due(made.database)
        assert erasure.erase_due(made.database) == 1
        run_destroy(made)
    assert made.contact("expired@example.com") is None
    made.ask("pending@example.com")
    made.subscribe("confirmed@example.com")
    made.subscribe("withdrawn@example.com")
    made.unsubscribe(made.permit("withdrawn@example.com"))
    made.not_me(made.ask("blocked@example.com") or b"")
    made.subscribe("paused@example.com")
    made.stop("paused@example.com")
    made.sign_up("warm@example.com")
    return made


def run_destroy(shop: People) -> int:
    """Does the work of the outbox kind erasure.destroy; returns how many rows of it there were."""
    import json

    with shop.database.begin() as tx:
        keys = tx.log.keystore.organisation(tx.session, shop.org)
        rows = tx.session.query(OutboxRow).filter_by(kind=erasure.DESTROY).all()
        for row in rows:
            context = b"consentledger/outbox/v1\n%b\n%b\n%b" % (
                row.organisation_id.bytes,
                row.outbox_id.bytes,
                row.kind.encode(),
            )
            payload = json.loads(keys.sealer.open(row.sealed, context))
            erasure.destroy(tx, shop.org, payload)
            tx.session.delete(row)
        return len(rows)


def test_a_sign_up_makes_the_same_statements_for_every_address(shop: People) -> None:
    seen = {}
    for address in KNOWN:
        with recorded(shop.database) as statements:
            shop.sign_up(f"{address}@example.com")
        seen[address] = statements
    for address in KNOWN[1:]:
        assert seen[address] == seen["new"], address


def test_a_sign_up_takes_few_round_trips(shop: People) -> None:
    with recorded(shop.database) as statements:
        shop.sign_up("new@example.com")
    assert len(statements) <= MOST_STATEMENTS[shop.database.name], statements


def test_a_stop_by_address_makes_the_same_statements_for_every_address(shop: People) -> None:
    seen = {}
    for address in KNOWN:
        with recorded(shop.database) as statements:
            shop.stop(f"{address}@example.com")
        seen[address] = statements
    for address in KNOWN[1:]:
        assert seen[address] == seen["new"], address


def test_the_answer_is_the_same_for_every_address(shop: People) -> None:
    answers = [shop.sign_up(f"{address}@example.com") for address in KNOWN]
    assert len({type(answer) for answer in answers}) == 1
    assert [one.index for one in answers] == list(
        range(answers[0].index, answers[0].index + len(answers))
    )


def test_orphan_keys_are_swept(shop: People) -> None:
    from sqlalchemy import func, select

    from consentledger.contacts.models import Contact
    from consentledger.db.models import ContactKey

    with time_machine.travel("2027-01-01T12:00:00+00:00", tick=False), shop.database.begin() as tx:
        before = tx.session.scalar(select(func.count()).select_from(ContactKey)) or 0
        living = tx.session.scalar(select(func.count()).select_from(Contact)) or 0
        assert before > living
        contacts.sweep_orphan_keys(tx)
        assert tx.session.scalar(select(func.count()).select_from(ContactKey)) == living
    assert shop.entries("confirmed@example.com")
