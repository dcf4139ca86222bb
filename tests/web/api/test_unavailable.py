"""A database that is locked, read-only or gone: 503 with Retry-After, and nothing was recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.settings import Settings
from tests.support.installations import settings_from
from tests.web.api.caller import IDENTITY, Caller


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """Nobody waits long for a lock here."""
    return settings_from({**environment, "CONSENTLEDGER_LOCK_TIMEOUT_SECONDS": "0.3"})


@contextmanager
def locked(installation: Installation, caller: Caller) -> Iterator[None]:
    """Somebody else holds the log's head, on SQLite the whole database."""
    organisation_id = caller.member.organisation_id
    if installation.database.name == "sqlite":
        with installation.database.write_engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT 1"))
            yield
        return
    with installation.database.write_engine.connect() as connection, connection.begin():
        connection.execute(
            select(LogHead.size).where(LogHead.organisation_id == organisation_id).with_for_update()
        )
        yield


def is_unavailable(answer: TestResponse) -> None:
    assert answer.status_code == 503, answer.data
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["type"].endswith(":unavailable")


def test_a_locked_database_is_503_and_the_same_key_works_later(
    installation: Installation, alice: Caller
) -> None:
    with locked(installation, alice):
        is_unavailable(alice.call("POST", "/senders", IDENTITY, Idempotency_Key="k"))
        assert alice.get("/senders")["items"] == []
    first = alice.call("POST", "/senders", IDENTITY, Idempotency_Key="k")
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    assert len(alice.get("/senders")["items"]) == 1


def test_a_read_only_database_is_503(installation: Installation, alice: Caller) -> None:
    if installation.database.name == "sqlite":
        path = Path(str(installation.database.url.database))
        with installation.database.write_engine.connect() as connection:
            connection.execute(text("PRAGMA query_only=ON"))
        assert path.exists()
    else:
        with installation.database.write_engine.connect() as connection:
            name = installation.database.url.database
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            autocommit.execute(
                text(f'ALTER DATABASE "{name}" SET default_transaction_read_only=on')
            )
        installation.database.write_engine.dispose()
    is_unavailable(alice.call("POST", "/senders", IDENTITY))
    assert alice.get("/senders")["items"] == []


def test_a_database_that_is_gone_is_503(
    installation: Installation, alice: Caller, request: pytest.FixtureRequest
) -> None:
    database = installation.database
    database.close()
    if database.name == "sqlite":
        path = Path(str(database.url.database))
        for file in path.parent.glob(path.name + "*"):
            if not file.name.endswith(".writer"):
                os.rename(file, file.with_name("gone-" + file.name))
        path.mkdir()
        answers = [alice.call("GET", "/senders"), alice.call("POST", "/senders", IDENTITY)]
        path.rmdir()
    else:
        with request.getfixturevalue("postgres").admin.connect() as connection:
            name = database.url.database
            connection.execute(text(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false'))
        answers = [alice.call("GET", "/senders"), alice.call("POST", "/senders", IDENTITY)]
    for answer in answers:
        is_unavailable(answer)
