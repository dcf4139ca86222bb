"""Which attacks run beside one another, how many robots each has, and how long a robot rests between two tries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.siege import robots
from bench.siege.robots import Kit
from bench.siege.town import Town
from bench.siege.work import kindly

LAST_ACT = 90.0  # seconds that a robot may take for what it began


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind of robot; `pause` in seconds."""

    name: str
    act: Callable[[Kit, str], None]
    robots: int
    pause: float


ATTACKS = (
    Attack("no token", robots.tokenless, 2, 0.3),
    Attack("loads the form", robots.loader, 16, 0.1),
    Attack("solves the work", robots.solver, 6, 0.1),
    Attack("waits as told", robots.patient, 10, 0.5),
    Attack("forged hops", robots.forged_hops, 2, 0.1),
    Attack("replays", robots.replayer, 2, 1.0),
    Attack("forges origins and tokens", robots.forger, 2, 0.5),
    Attack("fills every field", robots.filler, 2, 0.2),
    Attack("too fast", robots.hasty, 1, 0.4),
    Attack("/stop", robots.stopper, 1, 0.5),
)


def rage(town: Town, gate: Any, subscribers: tuple[str, ...], done: Any) -> None:
    """The process of all robots: they act until the town's time is over; puts the list of their tallies."""
    kindly()
    kit = Kit(town.opened(gate), subscribers=subscribers)
    threads = [
        threading.Thread(target=_robot, args=(kit, attack, number), daemon=True)
        for attack in ATTACKS
        for number in range(attack.robots)
    ]
    for thread in threads:
        thread.start()
    deadline = kit.town.ends_at + LAST_ACT
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    done.put(list(kit.books.tallies.values()))


def _robot(kit: Kit, attack: Attack, number: int) -> None:
    time.sleep(number * 0.13)
    while kit.town.open:
        try:
            attack.act(kit, attack.name)
        except Exception as error:
            kit.books.failed(attack.name, error)
        time.sleep(attack.pause)
