"""Permits in bulk over real sockets and real processes: who hangs up, what is killed, and how much memory it takes."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from consentledger.db.installation import Installation
from consentledger.permits.bulk.models import PermitRun
from consentledger.permits.models import Permit, PermitBatch
from tests.factories import create_key_of
from tests.support.permits import Shop, make_shop

pytestmark = pytest.mark.fault
MANY = 100_000
GROWTH_MIB = 30


class Asker:
    """Asks one web process about many people."""

    def __init__(self, port: int, shop: Shop, token: str) -> None:
        self.port, self.shop = port, shop
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": "k",
        }

    def body(self, count: int, *known: str) -> bytes:
        """A message to strangers, and to these people at the end."""
        message = {**self.shop.key(), "campaign": "bulk"}
        people = [*(f"p{n}@example.net" for n in range(count - len(known))), *known]
        return "\n".join([json.dumps(message), *map(json.dumps, people)]).encode()

    def begin(self, body: bytes, **headers: str) -> tuple[Any, Any]:
        """Sends a request; returns the connection and the answer's head, nothing of its body read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/api/v1/permits", body, {**self.headers, **headers})
        return connection, connection.getresponse()

    def ask(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Sends a request and reads all of the answer."""
        connection, answer = self.begin(body, **headers)
        found = answer.status, answer.read()
        connection.close()
        return found

    def ask_until_free(self, body: bytes) -> bytes:
        """Asks again until nobody else is at the run."""
        ends = time.monotonic() + 60
        while True:
            status, answer = self.ask(body)
            if status != 409:
                assert status == 200, answer[:500]
                return answer
            assert time.monotonic() < ends, "the run was never let go"
            time.sleep(0.1)


@contextmanager
def web(environment: dict[str, str], folder: Path) -> Iterator[tuple[int, int]]:
    """Runs `consentledger web` with one process; yields its port and that process's id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "consentledger", "web", "--processes", "1"]
    words += ["--bind", f"127.0.0.1:{port}"]
    with (folder / "web.log").open("ab") as log:
        server = subprocess.Popen(words, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            ends, children = (
                time.monotonic() + 30,
                Path(f"/proc/{server.pid}/task/{server.pid}/children"),
            )
            while not (found := children.read_text().split()) or not _answers(port):
                assert time.monotonic() < ends, (folder / "web.log").read_text()
                time.sleep(0.05)
            yield port, int(found[0])
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(40)


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def peak(process: int) -> float:
    """The most memory that a process ever held, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def counted(shop: Shop, model: Any) -> int:
    """How many rows a table has."""
    with shop.database.read() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def test_who_hangs_up_while_sending_leaves_nothing_and_while_reading_may_go_on(
    installation: Installation, environment: dict[str, str], tmp_path: Path
) -> None:
    shop = make_shop(installation.database, installation.settings)
    token = create_key_of(shop.database, shop.organisation_id, "permits:write").token
    shop.confirm("ann@example.org")
    with web(environment, tmp_path) as (port, process):
        asker = Asker(port, shop, token)
        body = asker.body(MANY, "ann@example.org")
        for framing in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
            _send_half(asker, body, framing)
        _, small = asker.ask(asker.body(12_000, "ann@example.org"), **{"Idempotency-Key": "small"})
        assert json.loads(small.splitlines()[-1])["recipients"] == 12_000
        assert (counted(shop, PermitBatch), counted(shop, PermitRun)) == (3, 1)
        before = peak(process)

        connection, answer = asker.begin(body)
        told = answer.read(100_000)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        answer.close()
        connection.close()
        whole = asker.ask_until_free(body)
        assert whole.startswith(told)
        lines = [json.loads(line) for line in whole.splitlines()]
        places = [one["line"] for one in lines if "line" in one]
        assert places == list(range(2, MANY + 2))
        assert (lines[-1]["done"], lines[-1]["allowed"]) == (True, 1)
        assert counted(shop, PermitBatch) == 3 + MANY // 5_000
        assert counted(shop, Permit) == 12_000 + MANY
        # Eight times as many recipients, and hardly more memory: nothing of the whole is ever held.
        assert peak(process) - before < GROWTH_MIB


def _send_half(asker: Asker, body: bytes, framing: str) -> None:
    head = ["POST /api/v1/permits HTTP/1.1", "Host: 127.0.0.1", framing]
    head += [f"{name}: {value}" for name, value in asker.headers.items()]
    half = body[: len(body) // 2]
    if "chunked" in framing:
        half = b"%x\r\n%b\r\n" % (len(half), half)
    with socket.create_connection(("127.0.0.1", asker.port), timeout=30) as sock:
        sock.sendall("\r\n".join([*head, "", ""]).encode() + half)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(65_536):
            answer += data
    assert b" 200 " not in answer[:20]
    assert counted(asker.shop, PermitBatch) == 0


def test_a_killed_run_goes_on_where_it_stopped(
    installation: Installation, environment: dict[str, str], tmp_path: Path
) -> None:
    shop = make_shop(installation.database, installation.settings)
    token = create_key_of(shop.database, shop.organisation_id, "permits:write").token
    shop.confirm("ann@example.org")
    with web(environment, tmp_path) as (port, process):
        asker = Asker(port, shop, token)
        body = asker.body(MANY // 2, "ann@example.org")
        connection, answer = asker.begin(body)
        told = answer.read(100_000)
        os.kill(process, signal.SIGKILL)
        connection.close()
    committed = counted(shop, PermitBatch)
    assert 1 <= committed < MANY // 2 // 5_000
    with web(environment, tmp_path) as (port, _):
        asker = Asker(port, shop, token)
        assert asker.ask(body)[0] == 409  # nobody can know that it is dead, until its time is over
        with shop.database.begin() as tx:
            tx.session.execute(update(PermitRun).values(held_until=tx.now - timedelta(seconds=1)))
        status, whole = asker.ask(body)
        assert status == 200
        assert whole.startswith(told)
        assert json.loads(whole.splitlines()[-1])["recipients"] == MANY // 2
        assert counted(shop, Permit) == MANY // 2
        assert asker.ask(body[:-1] + b'x"')[0] == 422
