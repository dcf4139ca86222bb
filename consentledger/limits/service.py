"""Counting posts: what is refused, what needs work or a wait, and what this process need not ask the database.

A window is a fixed slice of time, so a caller may get at most twice the number around its edge. Who is over a limit
is remembered by the process until the window ends and not counted further: trying on neither helps nor hurts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from consentledger.db.counters import Slot
from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError
from consentledger.limits import rules
from consentledger.limits.memory import Memory
from consentledger.limits.rules import Rule
from consentledger.limits.slots import Post, Slots

HINT_SECONDS = 5

__all__ = ["Counted", "Limiter", "Post"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting says: the level of pressure, 0 to 3, and whether the token was posted too often."""

    level: int
    token_spent: bool = False


class Limiter:
    """Counts against rules; `key` hides who was counted from whoever reads the counters.

    `enabled` False counts nothing, refuses nobody and sees no pressure.
    """

    def __init__(self, database: Database, key: bytes, *, enabled: bool = True) -> None:
        self._counters = database.counters
        self._slots = Slots(key)
        self._enabled = enabled
        self._over = Memory()
        self._before = Memory()  # posts to a form or an organisation in the window before this one
        self._levels = Memory()

    def refuse(self, remote: str | None) -> None:
        """Raises LimitError when this process knows an asker or its network to be over; no database is asked."""
        if self._enabled and len(self._over):
            at = _at()
            self._refuse_over(self._slots.asker(remote, at), at)

    def count_post(self, post: Post) -> Counted:
        """Counts one post in one statement; LimitError when an IP, a network or an address is over its limit.

        Under pressure, address and token are counted when the post is paid for: robots that pay nothing must not
        use up what an address's owner may, nor must a person who is asked to press again; and they leave less.
        """
        if not self._enabled:
            return Counted(0)
        at = _at()
        posts = self._slots.posts(post.form_id, post.organisation_id, at)
        hard = self._slots.asker(post.remote, at)
        token = None if post.token is None else self._slots.token("token", post.token)
        if self._levels.get(posts[0].key, at):
            token = None
        else:
            hard |= self._slots.mailbox(post, at)
        self._refuse_over(hard, at)
        if token is not None and self._over.get(token.key, at) is not None:
            return Counted(0, token_spent=True)
        counts = self._counters.add((*hard, *posts, *([token] if token else ())))
        self._check(hard, counts, at)
        if token is not None and counts[token.key] > rules.TOKEN.count:
            self._over.put(token.key, token.ends, until=token.ends)
            return Counted(0, token_spent=True)
        return Counted(self._level(posts, counts, at))

    def count_api(self, post: Post, key_id: UUID) -> None:
        """Counts a post that a marketer's server took; LimitError when anything is over its limit.

        `remote` is as the server named it; without one the API key is counted in its place. Such posts make no
        pressure: the key is the credential.
        """
        if not self._enabled:
            return
        at = _at()
        hard = self._slots.named(post, key_id, at) | self._slots.mailbox(post, at)
        hard |= self._slots.taken(post, at)
        self._refuse_over(hard, at)
        self._check(hard, self._counters.add(tuple(hard)), at)

    def level(self, form_id: UUID, organisation_id: UUID) -> int:
        """Returns the level of pressure as this process knows it; at most HINT_SECONDS old."""
        if not self._enabled:
            return 0
        at = _at()
        posts = self._slots.posts(form_id, organisation_id, at)
        known = self._levels.get(posts[0].key, at)
        return self._level(posts, self._counters.read(posts), at) if known is None else known

    def take_work(self, post: Post) -> bool:
        """Takes a post that was paid for by work; False when its token has paid for one before.

        Raises LimitError when the address is over its limit, or when the form or the organisation has taken all
        that it takes in this window.
        """
        if not self._enabled:
            return True
        if post.token is None:
            return False
        at = _at()
        used = self._slots.token("work", post.token)
        taken = self._slots.taken(post, at) | self._slots.mailbox(post, at)
        self._refuse_over(taken, at)
        counts = self._counters.add((used, *taken))
        if counts[used.key] > rules.WORK.count:
            return False
        self._check(taken, counts, at)
        return True

    def take_turn(self, post: Post) -> int:
        """Takes a post whose person has waited; returns 0, or the seconds until there is a turn for it.

        Nobody is refused for good, and robots that wait cannot use up all turns: the first press of a network in a
        window needs none of the form's. Raises LimitError as take_work does.
        """
        if not self._enabled:
            return 0
        at = _at()
        mine, turns = self._slots.waiting(post, at), self._slots.turns(post, at)
        network, _ = mine
        counts = self._counters.add(tuple(mine))
        if not _over(mine, counts) and counts[network.key] > 1:
            mine |= turns
            counts |= self._counters.add(tuple(turns))
        if over := _over(mine, counts):
            return _left(over, at)
        taken = self._slots.taken(post, at) | self._slots.mailbox(post, at)
        self._refuse_over(taken, at)
        self._check(taken, self._counters.add(tuple(taken)), at)
        return 0

    def count(self, scope: str, keys: Mapping[str, str], limits: Mapping[str, Rule]) -> None:
        """Counts one request under every key; LimitError when any is over its rule, naming the longest wait.

        `keys` maps a rule's name to what is counted; `scope` keeps kinds of requests apart.
        """
        if not self._enabled or not keys:
            return
        at = _at()
        slots = {
            self._slots.one(scope, name, value, limits[name], at): limits[name]
            for name, value in keys.items()
        }
        self._refuse_over(slots, at)
        self._check(slots, self._counters.add(tuple(slots)), at)

    def _level(self, posts: tuple[Slot, Slot], counts: Mapping[bytes, int], at: float) -> int:
        before = self._posts_before(posts, at)
        most = [max(counts.get(slot.key, 0), before[slot.key]) for slot in posts]
        level = max(
            rules.pressure(most[0], rules.FORM_PRESSURE),
            rules.pressure(most[1], rules.ORGANISATION_PRESSURE),
        )
        self._levels.put(posts[0].key, level, until=min(at + HINT_SECONDS, posts[0].ends))
        return level

    def _posts_before(self, slots: tuple[Slot, Slot], at: float) -> dict[bytes, int]:
        """What was counted in the window before, which no longer changes: read once, then remembered."""
        known = {slot.key: self._before.get(slot.key, at) for slot in slots}
        missing = [slot for slot in slots if known[slot.key] is None]
        if missing:
            ended = [Slot(slot.key, slot.window - 1, slot.ends - rules.WINDOW) for slot in missing]
            found = self._counters.read(ended)
            for slot in missing:
                known[slot.key] = found.get(slot.key, 0)
                self._before.put(slot.key, found.get(slot.key, 0), until=slot.ends)
        return {key: number or 0 for key, number in known.items()}

    def _refuse_over(self, slots: Iterable[Slot], at: float) -> None:
        if not len(self._over):
            return
        ends = [end for slot in slots if (end := self._over.get(slot.key, at)) is not None]
        if ends:
            raise _too_many(max(ends) - at)

    def _check(self, slots: Mapping[Slot, Rule], counts: Mapping[bytes, int], at: float) -> None:
        over = _over(slots, counts)
        for slot in over:
            self._over.put(slot.key, slot.ends, until=slot.ends)
        if over:
            raise _too_many(_left(over, at))


def _at() -> float:
    return now().timestamp()


def _over(slots: Mapping[Slot, Rule], counts: Mapping[bytes, int]) -> list[Slot]:
    return [slot for slot, rule in slots.items() if counts[slot.key] > rule.count]


def _left(over: list[Slot], at: float) -> int:
    return max(1, math.ceil(max(slot.ends for slot in over) - at))


def _too_many(seconds: float) -> LimitError:
    return LimitError("too many requests from here", retry_after=max(1, math.ceil(seconds)))
