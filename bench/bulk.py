"""Permits in bulk by NDJSON over real HTTP, durable and logged, beside the plain driver's SELECTs and COPY.

`python -m bench bulk [--recipients N]`. One request asks about a million people (70 % allowed, 20 % withdrew, 10 %
strangers) at a web of two processes; its client runs on the same cores. Measured from the first byte sent to the
last one read, so that spooling counts. The peer runs the very SELECTs and writes the very rows in the same batches,
in the same run, with commits as durable; it neither hashes, decides, builds nor answers anything.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from bench import load
from bench.crowd import CATEGORY, person, populate
from bench.engines import ENGINES
from bench.figures import Figure, percentile
from bench.plain import plain_rate
from bench.processes import PEAK, memory
from bench.world import World, served, world
from tests.factories import create_key_of

RECIPIENTS = 1_000_000
RATES = {"postgresql": 20_000, "sqlite": 10_000}
OF_THE_DRIVER = 0.5
MOST_MIB = 250
LOCK_MS = 100
SINGLES = 1_000
SINGLES_RATE = 100
SINGLE_MS = 30
CONNECTIONS = 8
BLOCK = 1 << 20


def run(engines: Sequence[str] = ENGINES, recipients: int = RECIPIENTS) -> list[Figure]:
    """Measures on each engine, on a fresh installation."""
    figures = []
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="cl-locks-") as locks, world(engine) as made:
            os.environ["BENCH_HEAD_LOCK"] = locks
            populate(made, recipients)
            figures += _engine(made, recipients, Path(locks))
    return figures


def _engine(made: World, recipients: int, locks: Path) -> list[Figure]:
    token = create_key_of(made.installation.database, made.made.organisation_id).token
    with served(made, "bench.timed:application") as port:
        _bulk(port, made, token, min(20_000, recipients))
        seconds, allowed = _bulk(port, made, token, recipients)
        most = max(memory(port, PEAK).values())
        longest = max(float(file.read_text()) for file in locks.iterdir()) * 1000
        singles = _singles(port, made, token)
    if not 0.65 < allowed / recipients < 0.75:
        raise SystemExit(f"bulk: {allowed} of {recipients} were allowed")
    rate, plain = recipients / seconds, plain_rate(made, recipients)
    name = f"{recipients:,} permits by NDJSON"
    return [
        Figure(made.engine, name, rate, "recipients/s", RATES[made.engine]),
        Figure(made.engine, "the plain driver's SELECTs and rows", plain, "recipients/s"),
        Figure(made.engine, f"{name}, of the plain driver", rate / plain, "", OF_THE_DRIVER),
        Figure(made.engine, f"{name}, the web process's peak memory", most, "MiB", MOST_MIB, True),
        Figure(made.engine, f"{name}, longest hold of the head", longest, "ms", LOCK_MS, True),
        Figure(made.engine, f"a single permit at {SINGLES_RATE}/s, p99", singles, "ms", SINGLE_MS, True),
    ]  # fmt: skip


def message(made: World) -> dict[str, Any]:
    """The message that is asked about."""
    return {
        "sender": str(made.made.sender_id),
        "purpose": str(made.made.purpose_ids[0]),
        "channel": "email",
        "campaign": "bench",
        "categories": [CATEGORY],
    }


def body(made: World, recipients: int) -> Iterator[bytes]:
    """The request's lines, in blocks: nine of ten are known."""
    yield orjson.dumps(message(made), option=orjson.OPT_APPEND_NEWLINE)
    for start in range(0, recipients, 10_000):
        ends = range(start, min(start + 10_000, recipients))
        yield b"".join([person(n) for n in ends])


def _bulk(port: int, made: World, token: str, recipients: int) -> tuple[float, int]:
    content = b"".join(body(made, recipients))
    head = load.request(
        "POST",
        "/api/v1/permits",
        b"",
        Content_Type="application/x-ndjson",
        Authorization=f"Bearer {token}",
        Idempotency_Key=str(uuid4()),
    ).replace(b"Content-Length: 0", b"Content-Length: %d" % len(content))
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(head)
        connection.sendall(content)
        tail = b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            data = connection.recv(BLOCK)
            if not data:
                raise SystemExit(f"bulk: the answer broke off: {tail[-600:]!r}")
            tail = (tail + data)[-4096:] if len(data) < 4096 else data[-4096:]
    seconds = time.perf_counter() - started
    last = _last(tail)
    if not last.get("done") or last["recipients"] != recipients:
        raise SystemExit(f"bulk: not done: {last}")
    return seconds, int(last["allowed"])


def _last(tail: bytes) -> dict[str, int]:
    start = tail.rindex(b'{"done"') if b'{"done"' in tail else tail.rindex(b'{"error"')
    return dict(orjson.loads(tail[start : tail.index(b"\n", start)]))


def _singles(port: int, made: World, token: str) -> float:
    """The 99th percentile of single permits at a paced rate, from when each was due, in milliseconds."""
    requests = [
        load.request(
            "POST",
            "/api/v1/permits",
            orjson.dumps({**message(made), "recipients": [orjson.loads(person(n))]}),
            Content_Type="application/json",
            Authorization=f"Bearer {token}",
            Idempotency_Key=str(uuid4()),
        )
        for n in range(SINGLES)
    ]
    return percentile(load.paced(port, requests, SINGLES_RATE, CONNECTIONS), 0.99) * 1000
