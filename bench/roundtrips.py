"""Counts database round trips on the wire: a proxy before PostgreSQL's socket that sees who speaks when.

A round trip is a turn of the client's: everything that it sends before the server answers, however many protocol
messages that are. Nothing in the code under measurement is asked, so nothing there can be forgotten.
"""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from bench import load
from bench.world import World, served


class Counter:
    """How many turns all clients together have taken."""

    def __init__(self) -> None:
        self.turns = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Counts one turn."""
        with self._lock:
            self.turns += 1


def signup_round_trips(made: World, requests: Sequence[bytes]) -> float:
    """Returns the least turns that one warm sign-up took, of some (others may open connections)."""
    with _counted(made) as (world, counter), served(world) as port:
        load.one_by_one(port, requests[: len(requests) // 2])
        turns = []
        for request in requests[len(requests) // 2 :]:
            before = counter.turns
            load.one_by_one(port, [request])
            turns.append(counter.turns - before)
    return float(min(turns))


@contextmanager
def _counted(made: World) -> Iterator[tuple[World, Counter]]:
    url = made.installation.database.url
    folder, counter = str(url.query["host"]), Counter()
    with (
        tempfile.TemporaryDirectory(prefix="cl-wire-") as place,
        socket.socket(socket.AF_UNIX) as door,
    ):
        door.bind(str(Path(place) / ".s.PGSQL.5432"))
        door.listen(64)
        threading.Thread(target=_welcome, args=(door, folder, counter), daemon=True).start()
        address = (
            f"postgresql+psycopg://{url.username}@/{url.database}?host={quote(place, safe='')}"
        )
        environment = {**made.environment, "CONSENTLEDGER_DATABASE_URL": address}
        yield replace(made, environment=environment), counter


def _welcome(door: socket.socket, folder: str, counter: Counter) -> None:
    while True:
        try:
            client, _ = door.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(Path(folder) / ".s.PGSQL.5432"))
        threading.Thread(target=_forward, args=(client, server, counter), daemon=True).start()


def _forward(client: socket.socket, server: socket.socket, counter: Counter) -> None:
    answered = True
    with client, server:
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(65_536)
                if not data:
                    return
                if source is client and answered:
                    counter.add()
                answered = source is server
                (server if source is client else client).sendall(data)
