"""Counting posts: what is refused, what needs work or a wait, and what this process need not ask the database.

A window is a fixed slice of time, so a caller may get at most twice the number around its edge. Who is over a limit
is remembered by the process until the window ends and not counted further: trying on neither helps nor hurts.
No address and no network is kept anywhere, only keyed hashes of them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from consentledger.db.engine import Database
from consentledger.kernel.clock import now
from consentledger.kernel.errors import LimitError
from consentledger.limits import rules
from consentledger.limits.counters import Counters, Slot
from consentledger.limits.form_tokens import FRESH, FormToken
from consentledger.limits.memory import Memory
from consentledger.limits.rules import Rule

HASH_BYTES = 16
HINT_SECONDS = 5
SIGN_UP, API, STOP = "sign-up", "api", "stop"


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a form: from where, for which mailbox (folded for limits), of which form, with which token."""

    remote: str | None
    address: str
    form_id: UUID
    organisation_id: UUID
    token: FormToken | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting says: the level of pressure, 0 to 3, and whether the token was posted too often."""

    level: int
    token_spent: bool = False


class Limiter:
    """Counts against rules; `key` hides who was counted from whoever reads the table."""

    def __init__(self, database: Database, key: bytes, *, enabled: bool = True) -> None:
        self._counters = Counters(database)
        self._key = hmac.digest(key, b"consentledger/rate-limit/v1", "sha256")
        self._enabled = enabled
        self._over = Memory()
        self._last = Memory()  # how many posts a form or an organisation had in the window before
        self._levels = Memory()

    def refuse(self, remote: str | None) -> None:
        """Raises LimitError when this process knows that an asker is over its limit; no database is asked."""
        if self._enabled:
            self._refuse_over((self._slot(SIGN_UP, "ip", rules.ip_of(remote), rules.IP),))

    def count_post(self, post: Post) -> Counted:
        """Counts one post in one statement; LimitError when an IP, a network or an address is over its limit."""
        if not self._enabled:
            return Counted(0)
        hard = self._hard(post)
        self._refuse_over(tuple(hard))
        token = self._token_slot("token", post.token)
        at = now().timestamp()
        if token is not None and self._over.get(token.key, at) is not None:
            return Counted(0, token_spent=True)
        form, organisation = self._soft(post)
        extra = (form, organisation) if token is None else (form, organisation, token)
        counts = self._counters.add((*hard, *extra))
        self._check(hard, counts)
        if token is not None and counts[token.key] > rules.TOKEN.count:
            self._over.put(token.key, counts[token.key], until=token.ends)
            return Counted(0, token_spent=True)
        level = self._level(form, organisation, counts)
        self._levels.put(form.key, level, until=at + HINT_SECONDS)
        return Counted(level)

    def level(self, form_id: UUID, organisation_id: UUID) -> int:
        """Returns the level of pressure as this process knows it; at most HINT_SECONDS old."""
        if not self._enabled:
            return 0
        post = Post(None, "", form_id, organisation_id)
        form, organisation = self._soft(post)
        at = now().timestamp()
        known = self._levels.get(form.key, at)
        if known is not None:
            return known
        found = self._counters.read((form, organisation))
        counts = {key: count for (key, _), count in found.items()}
        level = self._level(form, organisation, counts)
        self._levels.put(form.key, level, until=at + HINT_SECONDS)
        return level

    def take_work(self, post: Post) -> bool:
        """Takes a post that was paid for by work; False when its token's work has been used before.

        Raises LimitError when the form or the organisation has taken all that it takes in this window.
        """
        if not self._enabled:
            return True
        used = self._token_slot("work", post.token)
        if used is None:
            return False
        taken = self._taken(post)
        counts = self._counters.add((used, *taken))
        if counts[used.key] > rules.WORK.count:
            return False
        self._check(taken, counts)
        return True

    def take_turn(self, post: Post) -> int:
        """Takes a post whose person has waited; returns 0, or the seconds until there is a turn for it.

        Nobody is refused for good: the first press of a network in a window is not counted to the form's turns.
        """
        if not self._enabled:
            return 0
        ip = self._slot(SIGN_UP, "waiting-ip", rules.ip_of(post.remote), rules.WAITING_IP)
        network = rules.network_of(post.remote)
        net = self._slot(SIGN_UP, "waiting-network", network, rules.WAITING_NETWORK)
        counts = self._counters.add((ip, net))
        left = net.ends - int(now().timestamp())
        if counts[ip.key] > rules.WAITING_IP.count or counts[net.key] > rules.WAITING_NETWORK.count:
            return max(left, 1)
        if counts[net.key] > 1:
            form = self._slot(SIGN_UP, "waiting-form", str(post.form_id), rules.WAITING_FORM)
            if self._counters.add((form,))[form.key] > rules.WAITING_FORM.count:
                return max(left, 1)
        self._check(taken := self._taken(post), self._counters.add(tuple(taken)))
        return 0

    def count(self, scope: str, keys: Mapping[str, str], limits: Mapping[str, Rule]) -> None:
        """Counts one request under every key; LimitError when any is over its rule, naming the longest wait.

        `keys` maps a rule's name to what is counted; `scope` keeps kinds of requests apart.
        """
        if not self._enabled or not keys:
            return
        slots = {
            self._slot(scope, name, value, limits[name]): limits[name]
            for name, value in keys.items()
        }
        self._refuse_over(tuple(slots))
        self._check(slots, self._counters.add(tuple(slots)))

    def _hard(self, post: Post) -> dict[Slot, Rule]:
        return {
            self._slot(SIGN_UP, "ip", rules.ip_of(post.remote), rules.IP): rules.IP,
            self._slot(
                SIGN_UP, "network", rules.network_of(post.remote), rules.NETWORK
            ): rules.NETWORK,
            self._slot(SIGN_UP, "address", post.address, rules.ADDRESS): rules.ADDRESS,
        }

    def _soft(self, post: Post) -> tuple[Slot, Slot]:
        window = Rule(0, rules.WINDOW)
        form = self._slot(SIGN_UP, "form", str(post.form_id), window)
        return form, self._slot(SIGN_UP, "organisation", str(post.organisation_id), window)

    def _taken(self, post: Post) -> dict[Slot, Rule]:
        form, organisation = rules.FORM_TAKEN, rules.ORGANISATION_TAKEN
        return {
            self._slot(SIGN_UP, "form-taken", str(post.form_id), form): form,
            self._slot(
                SIGN_UP, "organisation-taken", str(post.organisation_id), organisation
            ): organisation,
        }

    def _token_slot(self, name: str, token: FormToken | None) -> Slot | None:
        if token is None:
            return None
        # A token's window is its own life: around the edge of a slice of the clock it would count twice.
        issued = int(token.issued_at.timestamp())
        key = self._hash(SIGN_UP, name, f"{token.form_id}{issued}{token.nonce.hex()}", 0)
        return Slot(key, 0, issued + int(FRESH.total_seconds()))

    def _level(self, form: Slot, organisation: Slot, counts: Mapping[bytes, int]) -> int:
        before = self._before(form, organisation)
        return max(
            rules.pressure(max(counts.get(form.key, 0), before[0]), rules.FORM_PRESSURE),
            rules.pressure(
                max(counts.get(organisation.key, 0), before[1]), rules.ORGANISATION_PRESSURE
            ),
        )

    def _before(self, form: Slot, organisation: Slot) -> tuple[int, int]:
        """How many posts there were in the window before, which no longer changes: read once, then remembered."""
        at = now().timestamp()
        known = self._last.get(form.key, at), self._last.get(organisation.key, at)
        if known[0] is not None and known[1] is not None:
            return known[0], known[1]
        slots = [
            Slot(slot.key, slot.window - 1, slot.ends - rules.WINDOW)
            for slot in (form, organisation)
        ]
        found = self._counters.read(slots)
        numbers = [found.get((slot.key, slot.window), 0) for slot in slots]
        for slot, number in zip((form, organisation), numbers, strict=True):
            self._last.put(slot.key, number, until=slot.ends)
        return numbers[0], numbers[1]

    def _refuse_over(self, slots: tuple[Slot, ...]) -> None:
        at = now().timestamp()
        known = [until for slot in slots if (until := self._over.until(slot.key, at)) is not None]
        if known:
            raise _too_many(max(known) - at)

    def _check(self, slots: Mapping[Slot, Rule], counts: Mapping[bytes, int]) -> None:
        over = [slot for slot, rule in slots.items() if counts[slot.key] > rule.count]
        for slot in over:
            self._over.put(slot.key, counts[slot.key], until=slot.ends)
        if over:
            raise _too_many(max(slot.ends for slot in over) - now().timestamp())

    def _slot(self, scope: str, name: str, value: str, rule: Rule) -> Slot:
        window = int(now().timestamp()) // rule.seconds
        key = self._hash(scope, name, value, rule.seconds)
        return Slot(key, window, (window + 1) * rule.seconds)

    def _hash(self, scope: str, name: str, value: str, seconds: int) -> bytes:
        message = "\n".join((scope, name, str(seconds), value))
        encoded = message.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, encoded, "sha256")[:HASH_BYTES]


def _too_many(seconds: float) -> LimitError:
    return LimitError("too many requests from here", retry_after=max(1, int(seconds)))
