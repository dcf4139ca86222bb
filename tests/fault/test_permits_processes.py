"""Promise 2 across processes: two web processes issue permits over HTTP while a third lets people leave.

The race among threads is in tests/integration/test_permits_races.py; here nothing is shared but the database,
so what holds is held by its locks (and by SQLite's writer gate), not by a lock of one process.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consentledger.db.installation import Installation
from tests.factories import create_key_of
from tests.support.permits import Shop, make_shop, violations

PEOPLE = [f"p{n}@example.org" for n in range(60)]
BATCH = 20
SECONDS = 4.0
ENOUGH = 150


@contextmanager
def served(environment: dict[str, str], folder: Path) -> Iterator[int]:
    """Runs `consentledger web` with two processes; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "consentledger", "web", "--processes", "2"]
    words += ["--bind", f"127.0.0.1:{port}"]
    with (folder / "web.log").open("wb") as log:
        server = subprocess.Popen(words, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            ends = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < ends, (folder / "web.log").read_text()
                    time.sleep(0.1)
            yield port
        finally:
            server.terminate()
            server.wait(30)


def ask(port: int, shop: Shop, token: str, people: list[str]) -> tuple[int, bytes]:
    """Asks for permits over HTTP, each time on a connection of its own, so that both processes serve."""
    body = json.dumps(
        {
            "sender": str(shop.sender_id),
            "purpose": str(shop.purpose_id),
            "channel": "email",
            "recipients": people,
        }
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/permits", body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.mark.fault
def test_two_web_processes_and_a_third_keep_the_promise(
    installation: Installation, environment: dict[str, str], tmp_path: Path
) -> None:
    shop = make_shop(installation.database, installation.settings)
    token = create_key_of(shop.database, shop.organisation_id, "permits:write").token
    shop.confirm(*PEOPLE)
    statuses: list[int] = []
    acts: list[str] = []
    with served(environment, tmp_path) as port:
        ends = time.monotonic() + SECONDS

        def over() -> bool:
            return time.monotonic() > ends or len(statuses) >= ENOUGH

        def issue() -> None:
            while not over():
                status, _ = ask(port, shop, token, random.sample(PEOPLE, BATCH))
                statuses.append(status)

        def leave() -> None:
            while not over():
                act = random.choice(("withdraw", "stop", "confirm", "confirm"))
                getattr(shop, act)(*random.sample(PEOPLE, 3))
                acts.append(act)

        threads = [
            threading.Thread(target=target) for target in (issue, issue, issue, issue, leave)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}
    assert len(acts) >= 10
    permits, against, wrong = violations(shop)
    assert permits == BATCH * len(statuses)
    assert permits >= 10 * BATCH
    assert (against, wrong) == (0, 0)
