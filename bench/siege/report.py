"""What came of a siege, as figures: mails per victim, real people, what it cost, and what scanners confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from bench.figures import Figure, percentile
from bench.siege.peer import Mail
from bench.siege.people import Life
from bench.siege.robots import STRANGERS
from bench.siege.scanners import Scanned
from bench.siege.tally import Tally, slug
from bench.siege.victims import mailboxes

PER_ORGANISATION, OVER_ALL = 1, 3
SERVED = 99.5
SLOWEST_MS = 300


@dataclass(frozen=True, slots=True)
class Siege:
    """Everything that was seen; `naive` are the mails of a naive form for the `naive_posts` it was sent."""

    engine: str
    mails: Sequence[Mail]
    lives: Sequence[Life]
    tallies: Sequence[Tally]
    scanned: Scanned
    confirmed: int
    subscribers: int
    drained: float
    naive_posts: int
    naive_mails: int


def figures(siege: Siege) -> list[Figure]:
    """The whole table of one engine."""
    rows = [*_victims(siege), *_people(siege), *_robots(siege), *_scanners(siege)]
    return [Figure(siege.engine, name, *more) for name, *more in rows]


Row = tuple[Any, ...]  # a figure without its engine


def _victims(siege: Siege) -> list[Row]:
    boxes = mailboxes()
    each: Counter[tuple[str, str]] = Counter()
    stops: Counter[tuple[str, str]] = Counter()
    for mail in siege.mails:
        if mail.kind == "stop":
            stops[(mail.to.lower(), mail.sender)] += 1
        elif mail.to.lower() in boxes:
            each[(boxes[mail.to.lower()], mail.sender)] += 1
    everywhere: Counter[str] = Counter(dict.fromkeys(set(boxes.values()), 0))
    for (box, _), count in each.items():
        everywhere[box] += count
    aimed = sum(tally.at_victims for tally in siege.tallies)
    return [
        ("victims' mailboxes", len(everywhere), ""),
        ("posts aimed at a victim, each", aimed / len(everywhere), ""),
        ("mails to a victim from one organisation, most", _most(each.values()), "", PER_ORGANISATION, True),
        ("mails to a victim over all organisations, most", _most(everywhere.values()), "", OVER_ALL, True),
        ("mails to a victim over all organisations, mean", mean(everywhere.values()), ""),
        ("a naive form's mails to victims, per post", siege.naive_mails / siege.naive_posts, ""),
        ("mails of /stop to one subscriber from one organisation, most", _most(stops.values()), "", 1, True),
        ("mails of /stop to people without a consent", _to_strangers(siege), "", 0, True),
    ]  # fmt: skip


def _to_strangers(siege: Siege) -> int:
    known = {life.address for life in siege.lives}
    return sum(
        mail.kind == "stop" and mail.to not in known and not mail.to.startswith("subscriber")
        for mail in siege.mails
    )


def _people(siege: Siege) -> list[Row]:
    lives, count = siege.lives, max(1, len(siege.lives))
    posts = [seconds for life in lives for seconds in life.posts]
    mailed = [life.mail_after for life in lives if life.mail_after is not None]
    held = [life.held_up for life in lives if life.held_up]
    served = sum(life.confirmed for life in lives)
    for life in [life for life in lives if not life.confirmed][:10]:
        shares = "behind a shared address" if life.shares_address else "alone at an address"
        print(f"siege: not served: {_told(life.kind)}, {shares}: {life.why}")
    share = 100 / count
    rows: list[Row] = [
        ("real people", len(lives), ""),
        ("real people served up to `done`", served * share, "%", SERVED),
        ("real people refused or lost", (len(lives) - served) * share, "%"),
    ]
    for kind in sorted({life.kind for life in lives}):
        own = [life for life in lives if life.kind == kind]
        done = 100 * sum(life.confirmed for life in own) / len(own)
        rows.append((f"of those with {_told(kind)}", done, "%"))
    shared = [life for life in lives if life.shares_address]
    rows += [
        ("of those behind an address that many share", 100 * mean(x.confirmed for x in shared), "%"),
        ("real people who had to press again", sum(x.presses > 1 for x in lives) * share, "%"),
        ("real people whose browser computed", sum(x.worked > 0 for x in lives) * share, "%"),
        ("real people held up by design", len(held) * share, "%"),
        ("these, held up for, mean", mean(held) if held else 0, "s"),
        ("a real sign-up's POST, median", percentile(posts, 0.5) * 1000, "ms"),
        ("a real sign-up's POST, p99", percentile(posts, 0.99) * 1000, "ms", SLOWEST_MS, True),
        ("a real person's mail comes after, median", percentile(mailed, 0.5), "s"),
        ("a real person's mail comes after, p99", percentile(mailed, 0.99), "s"),
    ]  # fmt: skip
    return rows


def _told(kind: str) -> str:
    words = {"element": "the element", "hosted": "our page", "plain": "a plain form and no script"}
    return words[kind]


def _robots(siege: Siege) -> list[Row]:
    boxes, tallies = mailboxes(), siege.tallies
    got = [mail for mail in siege.mails if mail.to.lower() in boxes or mail.to.endswith(STRANGERS)]
    mails = max(1, len(got))
    posts = sum(tally.posts for tally in tallies)
    machines = len(set().union(*(tally.addresses for tally in tallies)))
    rows: list[Row] = [
        ("hostile posts", posts, ""),
        ("hostile posts taken", sum(tally.accepted for tally in tallies), ""),
        ("mails that robots obtained, to anybody", len(got), ""),
        ("a robot's mail costs, requests", sum(t.requests for t in tallies) / mails, ""),
        ("a robot's mail costs, machines", machines / mails, ""),
        ("a robot's mail costs, CPU", sum(t.cpu_seconds for t in tallies) / mails, "s"),
    ]
    for tally in sorted(tallies, key=lambda tally: -tally.posts):
        rows += _attack(tally, siege.mails)
    wrong = [line for tally in tallies for line in tally.wrong]
    for line in wrong[:10]:
        print(f"siege: a wrong answer: {line}")
    return [
        *rows,
        ("futile posts that were taken", sum(tally.taken for tally in tallies), "", 0, True),
        ("wrong answers to robots", len(wrong), "", 0, True),
        ("the worker's backlog at the end", siege.drained, "s"),
    ]


def _attack(tally: Tally, mails: Iterable[Mail]) -> list[Row]:
    got = sum(mail.to.startswith(f"{slug(tally.name)}-") for mail in mails)
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(tally.statuses.items()))
    rows: list[Row] = [(f"attack “{tally.name}”: posts ({answers})", tally.posts, "")]
    if tally.accepted:
        rows.append((f"attack “{tally.name}”: mails to strangers", got, ""))
    if tally.solved:
        spent = tally.cpu_seconds / tally.solved
        rows.append((f"attack “{tally.name}”: CPU per solution", spent, "s"))
    return rows


def _scanners(siege: Siege) -> list[Row]:
    pressed = siege.subscribers + sum(life.confirmed for life in siege.lives)
    scanned = siege.scanned
    for line in scanned.wrong[:10]:
        print(f"siege: a wrong answer to a scanner: {line}")
    return [
        ("mails whose links scanners opened", scanned.mails, ""),
        ("of these in a real browser", scanned.in_a_browser, ""),
        ("their fetches", scanned.fetches, ""),
        ("wrong answers to scanners", len(scanned.wrong), "", 0, True),
        ("consents that nobody pressed for", abs(siege.confirmed - pressed), "", 0, True),
    ]


def _most(counts: Iterable[int]) -> int:
    return max(counts, default=0)
