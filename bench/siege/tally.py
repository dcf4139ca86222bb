"""What the robots did and what they got for it, counted per attack."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from bench.siege.client import Answer

ANSWERS = frozenset((200, 202, 303, 403, 404, 405, 409, 410, 413, 415, 422, 429))


@dataclass(slots=True)
class Tally:
    """One attack's own books; `wrong` are answers that no attack may get, `taken` those that this one may not."""

    name: str
    requests: int = 0
    posts: int = 0
    accepted: int = 0
    taken: int = 0
    solved: int = 0
    cpu_seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    addresses: set[str] = field(default_factory=set)
    at_victims: int = 0
    wrong: list[str] = field(default_factory=list)


class Books:
    """All tallies of a run; robots of many threads write in them."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()

    def asked(self, name: str, ip: str, answer: Answer) -> Answer:
        """Counts a page that was loaded."""
        with self._lock:
            tally = self._of(name)
            tally.requests += 1
            tally.addresses.add(ip)
            self._check(tally, answer)
        return answer

    def posted(
        self, name: str, ip: str, answer: Answer, *, futile: bool = False, victim: bool = False
    ) -> Answer:
        """Counts a post; a `futile` one must not be taken."""
        good = answer.status in (200, 202)
        with self._lock:
            tally = self._of(name)
            tally.requests += 1
            tally.posts += 1
            tally.at_victims += victim
            tally.accepted += good
            tally.taken += good and futile
            tally.statuses[answer.status] += 1
            tally.addresses.add(ip)
            self._check(tally, answer)
        return answer

    def spent(self, name: str, seconds: float) -> None:
        """Counts CPU seconds that went into a solution."""
        with self._lock:
            tally = self._of(name)
            tally.solved += 1
            tally.cpu_seconds += seconds

    def failed(self, name: str, error: Exception) -> None:
        """Notes a connection that broke."""
        with self._lock:
            self._of(name).wrong.append(f"{type(error).__name__}: {error}"[:200])

    def _of(self, name: str) -> Tally:
        return self.tallies.setdefault(name, Tally(name))

    @staticmethod
    def _check(tally: Tally, answer: Answer) -> None:
        if answer.status not in ANSWERS:
            tally.wrong.append(f"{answer.status} {answer.text[:100]}")
        elif answer.status == 429 and not answer.wait():
            tally.wrong.append("429 without Retry-After")


def slug(name: str) -> str:
    """An attack's name as it stands in the addresses that it types in."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
