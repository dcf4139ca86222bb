"""Real people: they load the form, think, sign up, wait for the mail, read its page and press its button.

Most use the element on a page of the shop; some our hosted page; some have no script at all and a plain form in the
shop's page. Every fifth sits behind an address that a whole office shares. Nobody hurries, and nobody gives up before
they are refused, or told to wait for more than a minute and a half.
"""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.siege import pages
from bench.siege.client import Answer, Caller
from bench.siege.town import Form, Town, networks
from bench.siege.work import Solved, solve, solvers

OFFICES = 4
MOST_PRESSES = 6
MAIL_PATIENCE = 120.0
WAITING_PATIENCE = 90.0  # whoever is told to wait longer goes away, and was not served
LIFE = 300.0  # seconds that anybody takes at most
KINDS = ("element", "element", "element", "element", "element", "hosted", "hosted", "plain")
Letters = dict[str, queue.SimpleQueue[tuple[float, str]]]


@dataclass(slots=True)
class Life:
    """What became of one person; seconds are of the answers to their posts, `held_up` is waiting by design."""

    kind: str
    address: str
    shares_address: bool
    posts: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    presses: int = 0
    worked: float = 0.0
    held_up: float = 0.0
    accepted: bool = False
    mail_after: float | None = None
    confirmed: bool = False
    why: str = ""


@dataclass(slots=True)
class Person:
    """One person on the way from a form to `done`."""

    life: Life
    form: Form
    caller: Caller
    dice: random.Random
    letters: Letters
    hands: ThreadPoolExecutor

    def live(self) -> Life:
        """All of it; whatever goes wrong stands in `why`."""
        inbox = self.letters[self.life.address] = queue.SimpleQueue()
        try:
            accepted_at = self._by_element() if self.life.kind == "element" else self._by_page()
            if accepted_at is not None:
                self.life.accepted = True
                self._confirm(inbox, accepted_at)
        except Exception as error:
            self.life.why = f"{type(error).__name__}: {error}"[:200]
        return self.life

    def _by_element(self) -> float | None:
        shown = self._load()
        if shown is None:
            return None
        token, task = shown["token"], self._begin(shown.get("work"))
        self._think(2.5, 6)
        for _ in range(MOST_PRESSES):
            fields: dict[str, Any] = {
                "email": self.life.address,
                "purpose": [box["purpose"] for box in shown["boxes"]],
                "version": shown["version"],
                "hash": shown["hash"],
                "token": token,
                "source": "element",
                shown.get("honeypot", pages.HONEYPOT): "",
            }
            if task is not None:
                fields["work"] = self._solution(task)
            answer = self._sent(
                self.caller.post_json(self.form.path, fields, origin=self.form.origin)
            )
            if answer.status == 202:
                return time.monotonic()
            problem = answer.json()
            named = (problem.get("errors") or [{}])[0]
            if answer.status != 422 or named.get("field") not in ("work", "token"):
                return self._refused(answer)
            if named["field"] == "token":
                shown = self._load()
                if shown is None:
                    return None
                token, problem = shown["token"], {"work": shown.get("work")}
                self._think(1.6, 2)
            task = self._begin(problem.get("work"))
        self.life.why = "asked again and again"
        return None

    def _load(self) -> dict[str, Any] | None:
        answer = self.caller.get(f"{self.form.path}/form.json?lang=en", origin=self.form.origin)
        if answer.status == 200:
            return answer.json()
        self._refused(answer)
        return None

    def _begin(self, work: dict[str, Any] | None) -> Future[Solved] | None:
        return self.hands.submit(solve, work["challenge"]) if work else None

    def _solution(self, task: Future[Solved]) -> str:
        began = time.monotonic()
        done = task.result()
        self.life.worked += done.cpu_seconds
        self.life.held_up += time.monotonic() - began
        return done.payload

    def _by_page(self) -> float | None:
        if self.life.kind == "plain":
            sheet = pages.Sheet(boxes=[("purpose", self.form.purpose)])
            origin: str | None = self.form.origin
        else:
            answer = self.caller.get(self.form.path)
            if answer.status != 200:
                return self._refused(answer)
            sheet, origin = pages.read(answer.text), None
        self._think(3, 7)
        for _ in range(MOST_PRESSES):
            posted = sheet.filled_in(self.life.address)
            answer = self._sent(self.caller.post(self.form.path, posted, origin=origin))
            if answer.status == 200:
                return time.monotonic()
            if answer.status not in (409, 422):
                return self._refused(answer)
            if answer.wait() > WAITING_PATIENCE:
                self.life.why = f"told to wait {answer.wait():.0f} s"
                return None
            sheet, origin = pages.read(answer.text), None
            self._wait_as_told(answer)
        self.life.why = "asked again and again"
        return None

    def _wait_as_told(self, answer: Answer) -> None:
        seconds = answer.wait()
        if seconds:
            self.life.held_up += seconds
            time.sleep(seconds)
        self._think(1.6, 3)

    def _confirm(self, inbox: queue.SimpleQueue[tuple[float, str]], accepted_at: float) -> None:
        try:
            at, token = inbox.get(timeout=MAIL_PATIENCE)
        except queue.Empty:
            self.life.why = "no mail"
            return
        self.life.mail_after = max(0.0, at - accepted_at)
        self._think(1, 4)
        page = self.caller.get(f"/c/{token}")
        if page.status != 200:
            self._refused(page)
            return
        self._think(1, 3)
        done = self.caller.post(f"/c/{token}", pages.read(page.text).pressed())
        self.life.confirmed = done.status == 200
        if not self.life.confirmed:
            self._refused(done)

    def _sent(self, answer: Answer) -> Answer:
        self.life.presses += 1
        self.life.posts.append(answer.seconds)
        self.life.statuses.append(answer.status)
        return answer

    def _refused(self, answer: Answer) -> float | None:
        self.life.why = f"{answer.status} {answer.text[:120]}" if answer.status < 500 else "5xx"
        return None

    def _think(self, least: float, most: float) -> None:
        time.sleep(self.dice.uniform(least, most))


def live(town: Town, gate: Any, mails: Any, lives: Any) -> None:
    """The process of all people: one after another sets out until the town's time is over; puts a list of lives."""
    town, letters = town.opened(gate), Letters()
    threading.Thread(target=_deliver, args=(mails, letters), daemon=True).start()
    threads: list[threading.Thread] = []
    found: list[Life] = []
    with solvers(2) as hands:
        for person in _people(town, letters, hands):
            found.append(person.life)
            threads.append(threading.Thread(target=person.live, daemon=True))
            threads[-1].start()
        deadline = time.monotonic() + LIFE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
    lives.put(found)


def _people(town: Town, letters: Letters, hands: ThreadPoolExecutor) -> Iterator[Person]:
    dice, homes = random.Random(7), networks(7)
    offices = list(itertools.islice(networks(8), OFFICES))
    popular = [4] + [1] * (len(town.forms) - 1)
    for number in itertools.count():
        if not town.open:
            return
        shares = number % 5 == 4
        life = Life(KINDS[number % len(KINDS)], f"person{number}@home.example", shares)
        caller = Caller(town.port, dice.choice(offices) if shares else next(homes))
        form = dice.choices(town.forms, popular)[0]
        yield Person(life, form, caller, random.Random(number), letters, hands)
        time.sleep(dice.expovariate(town.people))


def _deliver(mails: Any, letters: Letters) -> None:
    while (mail := mails.get()) is not None:
        to, at, token = mail
        if to in letters:
            letters[to].put((at, token))
