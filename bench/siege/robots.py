"""The attacks, one function each: what a robot does once. They know what stands in our source, and keep to no limit.

Each robot comes from an address of its own out of a botnet's; a trusted proxy says so, and what a robot itself
writes into X-Forwarded-For stands to the left of that.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.siege import pages
from bench.siege.client import Answer, Caller
from bench.siege.tally import Books, slug
from bench.siege.town import Form, Town, networks
from bench.siege.victims import spellings
from bench.siege.work import solve

BOTNET = 2_000  # addresses, each in a network of its own
PATIENCE = 1.7  # what the time trap asks of everybody
OWN = "91.200.17.4"  # the one address behind forged hops
TOKEN_POSTS = 5  # what one token may be posted for, while nothing presses
TOO_LONG = 60.0  # what a robot does not wait for
SURELY_TOO_FAST = 0.5
EVIL = "https://evil.example"
STRANGERS = "stranger.example"


@dataclass(slots=True)
class Kit:
    """What all robots share: the town, the botnet, whom to bury in mail, and the books."""

    town: Town
    books: Books = field(default_factory=Books)
    subscribers: tuple[str, ...] = ()
    botnet: tuple[str, ...] = ()
    _dice: random.Random = field(default_factory=lambda: random.Random(11))
    _spellings: Iterator[str] = field(default_factory=spellings)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        found = networks(13)
        self.botnet = tuple(next(found) for _ in range(BOTNET))

    def caller(self) -> Caller:
        """Some machine of the botnet."""
        with self._lock:
            return Caller(self.town.port, self._dice.choice(self.botnet))

    def target(self, attack: str) -> tuple[str, Form, bool]:
        """Whose address, on which form, and whether it is a victim's: half the posts are for the victims."""
        with self._lock:
            self._number += 1
            if self._number % 2:
                return next(self._spellings), self._dice.choice(self.town.forms), True
            popular = self._dice.random() < 0.5
            form = self.town.forms[0] if popular else self._dice.choice(self.town.forms)
            return f"{slug(attack)}-{self._number}@{STRANGERS}", form, False

    def choose(self, among: tuple[Any, ...]) -> Any:
        """One of several, by chance."""
        with self._lock:
            return self._dice.choice(among)


def tokenless(kit: Kit, name: str) -> None:
    """Posts without having loaded anything, as list bombers do today."""
    caller, (address, form, victim) = kit.caller(), kit.target(name)
    fields = {"email": address, "purpose": form.purpose}
    send = kit.choose((caller.post, caller.post_json))
    answer = send(form.path, fields, origin=kit.choose((form.origin, None)))
    kit.books.posted(name, caller.ip, answer, futile=True, victim=victim)


def loader(kit: Kit, name: str) -> None:
    """Loads form.json for each post and waits as told, but computes nothing."""
    _robot(kit, name, works=False)


def solver(kit: Kit, name: str) -> None:
    """The same, and solves whatever is asked."""
    _robot(kit, name, works=True)


def patient(kit: Kit, name: str) -> None:
    """Takes the way of people without scripts: our page, and the waiting page for as long as it says."""
    caller, (address, form, victim) = kit.caller(), kit.target(name)
    answer = kit.books.asked(name, caller.ip, caller.get(form.path))
    for _ in range(3):
        if answer.status not in (200, 422) or "<form" not in answer.text:
            return
        if answer.wait() > TOO_LONG:
            return
        time.sleep(answer.wait() + PATIENCE)
        fields = pages.read(answer.text).filled_in(address)
        answer = caller.post(form.path, fields)
        kit.books.posted(name, caller.ip, answer, victim=victim)
        if answer.status != 422:
            return


def forged_hops(kit: Kit, name: str) -> None:
    """One machine that writes another address to the left of its own in every request."""
    left = kit.choose(kit.botnet)
    caller = Caller(kit.town.port, OWN, (left,))
    _robot(kit, name, works=True, caller=caller)


def replayer(kit: Kit, name: str) -> None:
    """Posts one token, and one solution, for many addresses; then the solution beside another token."""
    caller, (_, form, _) = kit.caller(), kit.target(name)
    shown = _load(kit, name, caller, form)
    if shown is None:
        return
    time.sleep(PATIENCE)
    work = _work(kit, name, shown.get("work"))
    taken = paid = 0
    for number in range(8):
        machine = kit.caller()
        address = f"{slug(name)}-{id(shown)}-{number}@{STRANGERS}"
        answer = _post(kit, machine, form, shown, address, work)
        futile = taken >= TOKEN_POSTS or bool(paid)
        kit.books.posted(name, machine.ip, answer, futile=futile)
        taken += answer.status == 202
        paid += answer.status == 202 and work is not None
        work = work or _work(kit, name, answer.json().get("work"))
    if work is not None:
        other = _load(kit, name, caller, form)
        time.sleep(PATIENCE)
        if other is not None and other.get("work"):
            address = f"foreign-{id(shown)}@{STRANGERS}"
            answer = _post(kit, caller, form, other, address, work)
            kit.books.posted(name, caller.ip, answer, futile=True)


def forger(kit: Kit, name: str) -> None:
    """Forged or missing Origin, a token of another form, and one that nobody signed."""
    caller, (address, form, victim) = kit.caller(), kit.target(name)
    shown = _load(kit, name, caller, form)
    if shown is None:
        return
    time.sleep(PATIENCE)
    other = next(one for one in kit.town.forms if one != form)
    token = shown["token"]
    broken = {**shown, "token": ("B" if token[0] != "B" else "C") + token[1:]}
    tries = (
        (form, shown, EVIL),
        (form, shown, None),
        (other, shown, form.origin),
        (form, broken, form.origin),
        (form, {**shown, "token": "A" * 76}, form.origin),
    )
    for at, what, origin in tries:
        answer = _post(kit, caller, at, what, address, None, origin=origin)
        kit.books.posted(name, caller.ip, answer, futile=True, victim=victim)


def filler(kit: Kit, name: str) -> None:
    """Fills in every field that it finds, the one that people don't see, too."""
    caller, (address, form, victim) = kit.caller(), kit.target(name)
    page = kit.books.asked(name, caller.ip, caller.get(form.path))
    if page.status != 200:
        return
    time.sleep(PATIENCE)
    fields = pages.read(page.text).filled_in(address)
    fields |= {key: "http://spam.example" for key, value in fields.items() if value == ""}
    answer = caller.post(form.path, fields)
    kit.books.posted(name, caller.ip, answer, futile=True, victim=victim)


def hasty(kit: Kit, name: str) -> None:
    """Posts as soon as the form is there."""
    caller, (address, form, victim) = kit.caller(), kit.target(name)
    began = time.monotonic()
    shown = _load(kit, name, caller, form)
    if shown is not None:
        answer = _post(kit, caller, form, shown, address, None)
        # A token knows whole seconds: on a slow machine a hasty robot may not have been hasty.
        futile = time.monotonic() - began < SURELY_TOO_FAST
        kit.books.posted(name, caller.ip, answer, futile=futile, victim=victim)


def stopper(kit: Kit, name: str) -> None:
    """Types victims' and subscribers' addresses into /stop, for the mail that it sends."""
    caller, shop = kit.caller(), kit.choose(kit.town.shops)
    address = kit.choose((kit.target(name)[0], *kit.subscribers))
    answer = caller.post("/stop", {"email": address, "sender": shop.sender})
    kit.books.posted(name, caller.ip, answer)


def _robot(kit: Kit, name: str, *, works: bool, caller: Caller | None = None) -> None:
    caller, (address, form, victim) = caller or kit.caller(), kit.target(name)
    shown = _load(kit, name, caller, form)
    if shown is None:
        return
    work = _work(kit, name, shown.get("work")) if works else None
    time.sleep(PATIENCE)
    answer = _post(kit, caller, form, shown, address, work)
    kit.books.posted(name, caller.ip, answer, victim=victim)
    asked = answer.json().get("work") if answer.status == 422 else None
    if works and asked:
        work = _work(kit, name, asked)
        answer = _post(kit, caller, form, shown, address, work)
        kit.books.posted(name, caller.ip, answer, victim=victim)


def _load(kit: Kit, name: str, caller: Caller, form: Form) -> dict[str, Any] | None:
    path = f"{form.path}/form.json?lang=en"
    answer = kit.books.asked(name, caller.ip, caller.get(path, origin=form.origin))
    return answer.json() if answer.status == 200 else None


def _work(kit: Kit, name: str, asked: dict[str, Any] | None) -> str | None:
    if not asked:
        return None
    solved = solve(asked["challenge"])
    kit.books.spent(name, solved.cpu_seconds)
    return solved.payload


_SAME = "the form's own"


def _post(
    kit: Kit,
    caller: Caller,
    form: Form,
    shown: dict[str, Any],
    address: str,
    work: str | None,
    *,
    origin: str | None = _SAME,
) -> Answer:
    fields = {
        "email": address,
        "purpose": [form.purpose],
        "version": shown["version"],
        "hash": shown["hash"],
        "token": shown["token"],
        "source": "element",
        pages.HONEYPOT: "",
        **({"work": work} if work else {}),
    }
    return caller.post_json(form.path, fields, origin=form.origin if origin is _SAME else origin)
