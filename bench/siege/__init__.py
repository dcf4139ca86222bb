"""`python -m bench siege`: attackers and real people at once, at the service as it is deployed, on loopback.

Two web processes behind one trusted proxy, a worker, and a real SMTP server; people, robots and scanners live in
processes of their own and share the machine's cores with the service (robots and scanners give way, for their
processors would be elsewhere). It stops by itself: a bounded time, bounded rates, bounded waits.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.engines import ENGINES
from bench.figures import Figure
from bench.load import one_by_one, request
from bench.siege import report
from bench.siege.attacks import rage
from bench.siege.client import FORM
from bench.siege.leavings import leavings
from bench.siege.peer import Mail
from bench.siege.people import LIFE, live
from bench.siege.scanners import scan
from bench.siege.stored import confirmed, settle
from bench.siege.town import Place, at_work, founded
from bench.siege.victims import spellings
from bench.world import served
from tests.support.consents import People

SECONDS = 110
SUBSCRIBERS = 20
SCANNED_EVERY = 3  # mails; people's own among them
NAIVE_POSTS = 300


def run(engines: Sequence[str] = ENGINES, seconds: int = SECONDS) -> list[Figure]:
    """Besieges the service on each engine, and then looks what hostile posts leave behind."""
    figures = []
    for engine in engines:
        with founded(engine) as place:
            figures += report.figures(_siege(place, seconds))
        figures += leavings(engine)
    return figures


def _siege(place: Place, seconds: int) -> report.Siege:
    subscribers = _subscribed(place)
    with at_work(place) as there:
        lives, tallies, scanned = _everybody(there, subscribers, seconds)
        drained = settle(place.world.installation)
        mails = place.post.copy()
    sent, got = _naive(place)
    return report.Siege(
        engine=place.world.engine,
        mails=mails,
        lives=lives,
        tallies=tallies,
        scanned=scanned,
        confirmed=confirmed(place.world.installation),
        subscribers=len(subscribers),
        drained=drained,
        naive_posts=sent,
        naive_mails=got,
    )


def _subscribed(place: Place) -> tuple[str, ...]:
    people = People(place.world.installation.database, place.world.made)
    addresses = tuple(f"subscriber{n}@home.example" for n in range(SUBSCRIBERS))
    for address in addresses:
        people.subscribe(address)
    return addresses


def _everybody(there: Place, subscribers: tuple[str, ...], seconds: int) -> tuple[Any, Any, Any]:
    """Runs people, robots and scanners beside one another; returns what each of them tells."""
    context = multiprocessing.get_context("spawn")
    letters, links = context.Queue(), context.Queue()
    lives, tallies, scanned = context.Queue(), context.Queue(), context.Queue()
    town, gate = replace(there.town, lasts=seconds), context.Barrier(3)

    def deliver(mail: Mail) -> None:
        if mail.token is not None:
            letters.put((mail.to, mail.at, mail.token))
        if len(there.post.mails) % SCANNED_EVERY == 0:
            links.put(list(mail.links))

    there.post.listeners.append(deliver)
    processes = [
        context.Process(target=live, args=(town, gate, letters, lives), daemon=True),
        context.Process(target=rage, args=(town, gate, subscribers, tallies), daemon=True),
        context.Process(target=scan, args=(town, gate, links, scanned), daemon=True),
    ]
    for process in processes:
        process.start()
    patience = seconds + LIFE + 60
    told = (lives.get(timeout=patience), tallies.get(timeout=patience))
    settle(there.world.installation)
    links.put(None)
    letters.put(None)
    found = (*told, scanned.get(timeout=patience))
    for process in processes:
        process.join(30)
    there.post.listeners.clear()
    return found


def _naive(place: Place) -> tuple[int, int]:
    """The same posts to a naive form: how many, and how many mails came of them."""
    names = spellings()
    requests = [
        request("POST", "/subscribe", f"email={next(names)}".replace("+", "%2B").encode(), Content_Type=FORM)
        for _ in range(NAIVE_POSTS)
    ]  # fmt: skip
    before = len(place.post.copy())
    with served(place.world, "bench.siege.naive:application") as port:
        one_by_one(port, requests)
    return NAIVE_POSTS, len(place.post.copy()) - before
