"""A small HTTP/1.1 load client: processes with kept-open connections, bounded in count and time, loopback only."""

from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import percentile

LIMIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run: requests/s, latencies in seconds, and how many answers had each status."""

    rate: float
    latencies: list[float]
    statuses: dict[int, int]

    @property
    def p99(self) -> float:
        """The 99th percentile of the latencies, in milliseconds."""
        return percentile(self.latencies, 0.99) * 1000


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Builds the bytes of one request; header names are written with underscores."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, requests: Sequence[bytes], *, connections: int = 8) -> Load:
    """Sends every request once over `connections` connections in two processes and gathers the answers."""
    parts = [list(requests[i::2]) for i in range(2)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_idle, range(2))  # both are up before the clock starts
        started = time.perf_counter()
        results = pool.starmap(
            _send, [(port, part, connections // 2) for part in parts], chunksize=1
        )
        taken = time.perf_counter() - started
    latencies = [latency for result in results for latency, _ in result]
    statuses: dict[int, int] = {}
    for result in results:
        for _, status in result:
            statuses[status] = statuses.get(status, 0) + 1
    return Load(len(latencies) / taken, latencies, statuses)


def one_by_one(port: int, requests: Sequence[bytes]) -> list[tuple[float, int, bytes]]:
    """Sends the requests one after another; returns (seconds, status, body) of each."""
    with _connect(port) as connection:
        return [_exchange(connection, request) for request in requests]


def paced(port: int, requests: Sequence[bytes], rate: float, connections: int = 8) -> list[float]:
    """Sends the requests at `rate` per second; returns the seconds from when each was due to its answer (200)."""
    found: list[float] = []
    started = time.perf_counter() + 0.1

    def work(first: int) -> None:
        with _connect(port) as connection:
            for n in range(first, len(requests), connections):
                due = started + n / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                _, status, _ = _exchange(connection, requests[n])
                found.append(time.perf_counter() - due)
                if status != 200:
                    raise SystemExit(f"an answer was {status}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != len(requests):
        raise SystemExit("not every request was answered")
    return found


def _idle(_: int) -> None:
    time.sleep(0.2)


def _send(port: int, requests: list[bytes], connections: int) -> list[tuple[float, int]]:
    found: list[tuple[float, int]] = []
    deadline = time.monotonic() + LIMIT_SECONDS

    def work(part: list[bytes]) -> None:
        with _connect(port) as connection:
            for one in part:
                if time.monotonic() > deadline:
                    return
                latency, status, _ = _exchange(connection, one)
                found.append((latency, status))

    threads = [
        threading.Thread(target=work, args=(requests[i::connections],)) for i in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _exchange(connection: socket.socket, request: bytes) -> tuple[float, int, bytes]:
    started = time.perf_counter()
    connection.sendall(request)
    data = connection.recv(65_536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")),
        0,
    )
    while len(body) < length:
        body += _more(connection)
    return time.perf_counter() - started, int(lines[0].split()[1]), body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the server closed the connection in the middle of an answer")
    return data
