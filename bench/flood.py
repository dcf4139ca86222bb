"""A hundred thousand posts within a minute at two web processes, while some real people sign up.

One process keeps 64 connections busy, bounded in count and time. Half of the posts have no token, a fifth come from
one machine, the rest carry good tokens for as many addresses from two thousand machines. Each answer is read whole:
202, 422 or 429, as problem+json, a 429 with Retry-After. The memory of the web processes is read before and after.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from typing import Any

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure, percentile
from bench.processes import NOW, cpu_seconds, memory
from bench.siege.people import Life, live
from bench.siege.robots import BOTNET
from bench.siege.town import Form, Place, at_work, founded, networks
from tests.support.form_tokens import OpenPages

POSTS, SECONDS = 100_000, 60
CONNECTIONS = 64
TOKENS = 30_000
PEOPLE_PER_SECOND = 1.0
SERVED = 99.5
GROWN_MIB = 30  # what caches and arenas may take of their own
ONE_MACHINE = "151.7.7.7"
TOKENLESS, LAST = range(5), (8, 9)  # of ten posts
PROBLEM = b"application/problem+json"


@dataclass(slots=True)
class Flood:
    """What came of it: answers by status, latencies in seconds, and answers that are not right."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    broken: int = 0


def run(
    engines: Sequence[str] = ENGINES, posts: int = POSTS, seconds: int = SECONDS
) -> list[Figure]:
    """Floods the service on each engine."""
    figures = []
    for engine in engines:
        with founded(engine, 1) as place, at_work(place) as there:
            figures += _engine(there, posts, seconds)
    return figures


def _engine(there: Place, posts: int, seconds: int) -> list[Figure]:
    pages, form = OpenPages(there.world.installation.settings), there.town.forms[0]
    tokens = [pages.token(form.form_id, origin=form.origin) for _ in range(TOKENS)]
    # What a process needs to have served anything at all is not what a flood takes.
    send(there.town.port, islice(_posts(form, tokens[:100]), 2_000), 20)
    before, spent = memory(there.town.port, NOW), cpu_seconds(there.town.port)
    flood, lives = _beside(there, tokens, posts, seconds)
    after, spent = memory(there.town.port, NOW), cpu_seconds(there.town.port) - spent
    if set(before) != set(after):
        raise SystemExit("flood: a web process was replaced")
    for line in flood.wrong[:10]:
        print(f"flood: a wrong answer: {line}")
    figures = _figures(there.world.engine, flood, lives, before, after)
    each = spent / flood.statuses.total() * 1000
    name = "flood, processor time of the web processes per answer"
    return [*figures, Figure(there.world.engine, name, each, "ms")]


def _figures(
    engine: str,
    flood: Flood,
    lives: Sequence[Life],
    before: dict[int, float],
    after: dict[int, float],
) -> list[Figure]:
    answers = flood.statuses.total()
    told = ", ".join(f"{count:,} × {status}" for status, count in sorted(flood.statuses.items()))
    grown = max(after[process] - before[process] for process in before)
    real = [seconds for life in lives for seconds in life.posts]
    served = 100 * sum(life.confirmed for life in lives) / max(1, len(lives))
    return [
        Figure(engine, f"flood, answers ({told})", answers, ""),
        Figure(engine, "flood, rate", answers / flood.seconds, "posts/s"),
        Figure(engine, "flood, a post's p99", percentile(flood.latencies, 0.99) * 1000, "ms"),
        Figure(engine, "flood, wrong answers", len(flood.wrong), "", 0, True),
        Figure(engine, "flood, connections that broke", flood.broken, "", 0, True),
        Figure(engine, "flood, a web process's memory before, most", max(before.values()), "MiB"),
        Figure(engine, "flood, a web process grew by, most", grown, "MiB", GROWN_MIB, True),
        Figure(engine, "flood, real people meanwhile", len(lives), ""),
        Figure(engine, "flood, real people served up to `done`", served, "%", SERVED),
        Figure(engine, "flood, a real sign-up's POST, p99", percentile(real, 0.99) * 1000, "ms"),
    ]


def _beside(there: Place, tokens: list[str], posts: int, seconds: int) -> tuple[Flood, list[Life]]:
    context = multiprocessing.get_context("spawn")
    letters, lives, floods = context.Queue(), context.Queue(), context.Queue()
    gate = context.Barrier(2)
    town = replace(there.town, lasts=float(seconds), people=PEOPLE_PER_SECOND)
    there.post.listeners.append(
        lambda mail: letters.put((mail.to, mail.at, mail.token)) if mail.token else None
    )
    processes = [
        context.Process(target=live, args=(town, gate, letters, lives), daemon=True),
        context.Process(target=_flood, args=(town, gate, tokens, posts, floods), daemon=True),
    ]
    for process in processes:
        process.start()
    found = floods.get(timeout=seconds + 180), lives.get(timeout=seconds + 300)
    letters.put(None)
    for process in processes:
        process.join(30)
    return found


def _flood(town: Any, gate: Any, tokens: list[str], posts: int, done: Any) -> None:
    """The child that floods."""
    town = town.opened(gate)
    done.put(send(town.port, islice(_posts(town.forms[0], tokens), posts), town.lasts))


def _posts(form: Form, tokens: Sequence[str]) -> Iterator[bytes]:
    dice, found = random.Random(5), networks(29)
    botnet = [next(found) for _ in range(BOTNET)]
    for number in count():
        fields: dict[str, Any] = {
            "email": f"flood{number}@stranger.example",
            "purpose": [form.purpose],
        }
        if number % 10 not in TOKENLESS:
            fields |= {"version": 1, "source": "element", "token": dice.choice(tokens)}
        ip = ONE_MACHINE if number % 10 in LAST else dice.choice(botnet)
        yield load.request(
            "POST", form.path, json.dumps(fields).encode(), Origin=form.origin,
            Content_Type="application/json", X_Forwarded_For=ip,
        )  # fmt: skip


def send(port: int, posts: Iterator[bytes], seconds: float) -> Flood:
    """Sends posts over connections that are kept open, one at a time on each, until they or the time end."""
    flood, started = Flood(), time.perf_counter()
    with selectors.DefaultSelector() as selector:
        lines = [_Line(port, selector) for _ in range(CONNECTIONS)]
        busy = {line for line in lines if line.next(posts)}
        while busy:
            for key, _ in selector.select(timeout=30):
                line: _Line = key.data
                if not line.read(flood):
                    continue
                late = time.perf_counter() - started > seconds
                if late or not line.next(posts):
                    busy.discard(line)
        for line in lines:
            line.close()
    flood.seconds = time.perf_counter() - started
    return flood


class _Line:
    """One connection: a post, then its whole answer, then the next post."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self._port, self._selector = port, selector
        self._open()

    def __hash__(self) -> int:
        return id(self)

    def next(self, posts: Iterator[bytes]) -> bool:
        """Sends the next post; says whether there was one."""
        post = next(posts, None)
        if post is None:
            return False
        self._data, self._sent_at = b"", time.perf_counter()
        self._socket.sendall(post)
        return True

    def read(self, flood: Flood) -> bool:
        """Takes what came; says whether the answer is whole (or will never be)."""
        try:
            data = self._socket.recv(65_536)
        except OSError:
            data = b""
        if not data:
            flood.broken += 1
            self.close()
            self._open()
            return True
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return False
        flood.latencies.append(time.perf_counter() - self._sent_at)
        _judge(flood, head)
        return True

    def close(self) -> None:
        """Hangs up."""
        self._selector.unregister(self._socket)
        self._socket.close()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)


def _header(head: bytes, name: bytes) -> bytes:
    at = head.lower().find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _judge(flood: Flood, head: bytes) -> None:
    status = int(head[9:12])
    flood.statuses[status] += 1
    right = status == 202 or (
        status in (422, 429) and _header(head, b"content-type").startswith(PROBLEM)
    )
    if status == 429:
        right = right and _header(head, b"retry-after").isdigit()
    if not right:
        flood.wrong.append(head[:200].decode("latin-1").replace("\r\n", " | "))
