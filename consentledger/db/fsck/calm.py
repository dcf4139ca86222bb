"""Keeps the cycle collector out of long walks: it would look through the same millions of objects again and again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 16


@contextmanager
def calm_collector() -> Iterator[Callable[[], None]]:
    """Turns the collector off in the block; yields what to call at each batch's end.

    Nearly everything that a walk makes is freed by its reference count; the little that is not goes with every
    sixteenth batch.
    """
    was_on, batches = gc.isenabled(), 0

    def batch_done() -> None:
        nonlocal batches
        batches += 1
        if batches % EVERY == 0:
            gc.collect(1)

    gc.disable()
    try:
        yield batch_done
    finally:
        if was_on:
            gc.enable()
