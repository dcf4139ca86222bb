"""What one process remembers of the counters, bounded in size: who is over, and how many posts came last."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST_KEYS = 50_000


class Memory:
    """Numbers under hashed keys, each until a moment in seconds; the oldest goes when it is full.

    Several threads may use it. A key that is forgotten too early is asked of the database again, no more.
    """

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def put(self, key: bytes, number: int, *, until: float) -> None:
        """Keeps a number until that moment."""
        with self._lock:
            self._kept[key] = (until, number)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def get(self, key: bytes, at: float) -> int | None:
        """Returns the number, or None when there is none or its time is over."""
        found = self._kept.get(key)
        return found[1] if found is not None and at < found[0] else None

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)
