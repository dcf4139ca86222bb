"""Which of a contact's recorded grounds a decision turns on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from consentledger.law.model import Verdict


class Ground(NamedTuple):
    """One recorded ground of the existing-customer exception, as the log tells it.

    `n`: the contact's entry that recorded it. `on` and `ended_on` are ISO dates. `flags` are words of
    law.model.FLAGS in that order. `country`, `person` and `capacity` are what was recorded with it.
    """

    n: int
    channel: str
    trigger: str
    on: str
    ended_on: str | None
    categories: tuple[str, ...]
    flags: tuple[str, ...]
    country: str | None
    person: str
    capacity: str


def best(grounds: Sequence[Ground], decide_one: Callable[[Ground], Verdict]) -> Ground | None:
    """Returns the newest ground with which the verdict allows, else the newest of all, None without any.

    `decide_one` decides with one ground as the facts' customer. Newest: by the day, then by the entry.
    """
    ordered = sorted(grounds, key=lambda one: (one.on, one.n), reverse=True)
    allowed = (one for one in ordered if decide_one(one).allowed)
    return next(allowed, ordered[0] if ordered else None)


def turning(
    grounds: Sequence[Ground], without: Verdict, decide_one: Callable[[Ground], Verdict]
) -> Ground | None:
    """Returns the ground that a decision turns on, given the verdict `without` any; None where it turns on none.

    Where the message may go without a ground, only the end of a relationship may speak against it (Israel: it takes
    older consent with it). Elsewhere it is the best ground.
    """
    if not without.allowed:
        return best(grounds, decide_one)
    ended = [one for one in grounds if one.ended_on is not None]
    against = (one for one in ended if not decide_one(one).allowed)
    return next(against, None)
