"""Solving what the service asks for under pressure, and what that costs whoever solves it."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import altcha

KIND = 10  # as `nice` counts: the processors of other people's machines are not the service's own


@dataclass(frozen=True, slots=True)
class Solved:
    """A solution as it is posted, and the CPU seconds that it took."""

    payload: str
    cpu_seconds: float


def solve(challenge: Mapping[str, Any]) -> Solved:
    """Solves one challenge in this thread, by native PBKDF2 as a browser has it."""
    began = time.thread_time()
    made = altcha.Challenge.from_dict(dict(challenge))
    solution = altcha.solve_challenge(made, timeout=60)
    if solution is None:
        raise TimeoutError("no solution in a minute")
    text = json.dumps({"challenge": dict(challenge), "solution": solution.to_dict()})
    return Solved(base64.b64encode(text.encode()).decode(), time.thread_time() - began)


def kindly() -> None:
    """Lets this thread wait for the service's processes, which share the cores with all of its visitors."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), KIND)


def solvers(count: int) -> ThreadPoolExecutor:
    """Threads that solve; PBKDF2 runs outside the interpreter's lock, so nobody else's clock waits for it."""
    return ThreadPoolExecutor(count, "solver", initializer=kindly)
