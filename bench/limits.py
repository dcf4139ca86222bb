"""What limits cost while nobody attacks: the rate of sign-ups with them, of the rate without them, in one run.

Two services on one database, one of them with CONSENTLEDGER_SIGNUP_LIMITS=false; they take turns, so that whatever
else the machine does meets both alike. The posts go to so many forms that none comes under pressure.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from urllib.parse import urlencode

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure
from bench.people import FORM
from bench.processes import cpu_seconds
from bench.siege.town import Form, Town, founded
from bench.world import World, served
from consentledger.limits.rules import FORM_PRESSURE, ORGANISATION_PRESSURE
from tests.support.form_tokens import OpenPages

ROUNDS = 9
POSTS = 350  # of one round
WARM = 150
LIMIT = 0.85
SHOPS, FORMS = 13, 5


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures on each engine."""
    figures = []
    for engine in engines:
        with founded(engine, SHOPS, FORMS) as place:
            figures += _engine(place.world, place.town)
    return figures


def _engine(made: World, town: Town) -> list[Figure]:
    _check(town)
    off = replace(made, environment={**made.environment, "CONSENTLEDGER_SIGNUP_LIMITS": "false"})
    rates: dict[str, list[float]] = {"with": [], "without": []}
    spent = dict.fromkeys(rates, 0.0)
    with served(made) as port, served(off) as other:
        ports = {"with": port, "without": other}
        for name, one in ports.items():
            _rate(one, _requests(made, town, f"warm{name}", WARM))
        for number in range(ROUNDS):
            # Each goes first as often as the other.
            for name in sorted(ports, reverse=number % 2 == 0):
                requests = _requests(made, town, f"{name}{number}x", POSTS)
                before = cpu_seconds(ports[name])
                rates[name].append(_rate(ports[name], requests))
                spent[name] += (cpu_seconds(ports[name]) - before) * 1000 / (ROUNDS * POSTS)
    ratios = [a / b for a, b in zip(rates["with"], rates["without"], strict=True)]
    return [
        Figure(made.engine, "sign-ups with limits", median(rates["with"]), "/s"),
        Figure(made.engine, "sign-ups without limits", median(rates["without"]), "/s"),
        Figure(made.engine, "processor time of a sign-up with limits", spent["with"], "ms"),
        Figure(made.engine, "processor time of a sign-up without", spent["without"], "ms"),
        Figure(made.engine, "with limits, of without, median of rounds", median(ratios), "", LIMIT),
    ]


def _check(town: Town) -> None:
    posts = ROUNDS * POSTS + WARM
    if posts / len(town.forms) > FORM_PRESSURE[0] or posts / SHOPS > ORGANISATION_PRESSURE[0]:
        raise SystemExit("limits: so many posts would be pressure")


def _rate(port: int, requests: list[bytes]) -> float:
    done = load.run(port, requests)
    if done.statuses != {200: len(requests)}:
        raise SystemExit(f"limits: not every answer was 200: {done.statuses}")
    return done.rate


def _requests(made: World, town: Town, name: str, count: int) -> list[bytes]:
    pages, dice = OpenPages(made.installation.settings), random.Random(name)
    return [
        _post(pages, town.forms[n % len(town.forms)], f"{name}{n}@example.org", _address(dice))
        for n in range(count)
    ]


def _post(pages: OpenPages, form: Form, email: str, ip: str) -> bytes:
    fields = {"email": email, "purpose": form.purpose, "token": pages.token(form.form_id)}
    body = urlencode(fields).encode()
    return load.request("POST", form.path, body, X_Forwarded_For=ip, **FORM)


def _address(dice: random.Random) -> str:
    return ".".join(str(dice.randrange(1, 224)) for _ in range(4))
