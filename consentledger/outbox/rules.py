"""When a piece of work is tried again, and when nobody tries any more: pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Tries at most `most` times; waits `first` seconds, doubled each time, up to `longest`.

    The wait is spread evenly from half of it to all of it, so that work that failed together does
    not come back together (jitter).
    """

    most: int = 12
    first: float = 5.0
    longest: float = 4 * 3600.0

    def wait(self, attempt: int, chance: Callable[[], float]) -> timedelta:
        """Returns the time to wait behind the try number `attempt` (1, 2 …); `chance` is in 0..1."""
        # The exponent is bounded: 2.0 ** 2000 would be an OverflowError, not a long wait.
        whole = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return timedelta(seconds=whole * (0.5 + 0.5 * chance()))

    def exhausted(self, attempt: int) -> bool:
        """Says whether the try number `attempt` was the last one."""
        return attempt >= self.most
