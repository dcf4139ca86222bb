"""What a hostile post leaves behind: rows and bytes by table, and how much of it is left when its time is over.

Nobody else is in this town. Each kind of post is made often enough for an average, the worker does its work, and the
tables are counted before and after; in the end the clock is moved on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.figures import Figure
from bench.siege import pages
from bench.siege.afterwards import later
from bench.siege.client import Answer, Caller
from bench.siege.robots import PATIENCE
from bench.siege.stored import Rows, Stored, more, settle, stored
from bench.siege.town import Form, Place, at_work, founded, networks
from bench.siege.work import solve

POSTS = 120
KNOWN = 30  # addresses that are posted again and again
DAYS = (1, 3, 8, 40, 100, 400)
HANDS = 12
ONE_MACHINE = "151.7.7.7"


@dataclass(frozen=True, slots=True)
class Post:
    """One hostile post: with a token or without, from where, for whom."""

    address: str
    ip: str
    loaded: bool


def leavings(engine: str) -> list[Figure]:
    """Measures each kind of post on one engine."""
    with founded(engine, shops=1) as place:
        with at_work(place) as there:
            settle(place.world.installation)
            empty = stored(place.world.installation)
            found = {name: _measured(there, posts) for name, posts in _kinds().items()}
        full = stored(place.world.installation)
        last = later(place, DAYS)[-1]
    figures = [figure for name, rows in found.items() for figure in _per_post(engine, name, rows)]
    posts = POSTS * len(found)
    return figures + _left(engine, posts, more(empty, full), more(empty, last))


def _kinds() -> Mapping[str, list[Post]]:
    homes = networks(23)
    return {
        "without a token": [
            Post(f"none{n}@stranger.example", next(homes), False) for n in range(POSTS)
        ],
        "taken, a stranger's address": [
            Post(f"new{n}@stranger.example", next(homes), True) for n in range(POSTS)
        ],
        "taken, the same address again": [
            Post(f"new{n % KNOWN}@stranger.example", next(homes), True) for n in range(POSTS)
        ],
        "from one machine, mostly over its limit": [
            Post(f"over{n}@stranger.example", ONE_MACHINE, True) for n in range(POSTS)
        ],
    }


def _measured(there: Place, posts: list[Post]) -> dict[str, Rows]:
    installation, forms = there.world.installation, there.town.forms
    before = stored(installation)

    def act(numbered: tuple[int, Post]) -> Answer:
        number, post = numbered
        return _post(Caller(there.town.port, post.ip), forms[number % len(forms)], post)

    with ThreadPoolExecutor(HANDS) as hands:
        answers = list(hands.map(act, enumerate(posts)))
    if any(answer.status not in (202, 422, 429) for answer in answers):
        raise SystemExit(f"siege: answers {sorted({answer.status for answer in answers})}")
    time.sleep(2.5)  # unsent mails are settled as late as sent ones
    settle(installation)
    return more(before, stored(installation))


def _post(caller: Caller, form: Form, post: Post) -> Answer:
    fields: dict[str, object] = {"email": post.address, "purpose": [form.purpose]}
    if post.loaded:
        shown = caller.get(f"{form.path}/form.json", origin=form.origin).json()
        fields |= {name: shown[name] for name in ("version", "hash", "token")}
        fields |= {"source": "element", pages.HONEYPOT: ""}
        if shown.get("work"):
            fields["work"] = solve(shown["work"]["challenge"]).payload
        time.sleep(PATIENCE)
    answer = caller.post_json(form.path, fields, origin=form.origin)
    if answer.status == 422 and (asked := answer.json().get("work")):
        fields["work"] = solve(asked["challenge"]).payload
        answer = caller.post_json(form.path, fields, origin=form.origin)
    return answer


def _per_post(engine: str, name: str, rows: Mapping[str, Rows]) -> list[Figure]:
    count = sum(each.count for each in rows.values()) / POSTS
    size = sum(each.bytes for each in rows.values()) / POSTS
    tables = ", ".join(
        f"{table} {each.count / POSTS:.2g}" for table, each in sorted(rows.items()) if each.count
    )
    label = f"a post {name}, rows" + (f" ({tables})" if tables else "")
    return [
        Figure(engine, label, count, ""),
        Figure(engine, f"a post {name}, bytes", size, "B"),
    ]


def _left(engine: str, posts: int, full: Stored, last: Stored) -> list[Figure]:
    def per_post(found: Stored, what: Callable[[Rows], int]) -> float:
        return sum(what(rows) for rows in found.values()) / posts

    tables = ", ".join(
        f"{table} {rows.count / posts:.2g}" for table, rows in sorted(last.items()) if rows.count
    )
    return [
        Figure(engine, "all of these posts, rows per post", per_post(full, _count), ""),
        Figure(engine, "all of these posts, bytes per post", per_post(full, _bytes), "B"),
        Figure(
            engine, f"the same {DAYS[-1]} days later, rows per post ({tables})",
            per_post(last, _count), "",
        ),
        Figure(engine, f"the same {DAYS[-1]} days later, bytes per post", per_post(last, _bytes), "B"),
    ]  # fmt: skip


def _count(rows: Rows) -> int:
    return rows.count


def _bytes(rows: Rows) -> int:
    return rows.bytes
