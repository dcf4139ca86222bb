"""The existing-customer exception as the log alone gives it: the verifier's own reading, apart from the service's.

A recorded ground is evidence, never consent. A stop, a refused box, `not me` or an objection closes the exception on
its channel; a newer confirmed act opens it again, but never what the same press dropped. A ground that is older in
every respect than another one of its kind says nothing more, and of very many only the newest ones count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from consentledger.law.grounds import Ground

MOST = 50


class Shut(NamedTuple):
    """What closed a channel last: when, and whether a box dropped on the confirm page did."""

    at: str
    dropped: bool


@dataclass(slots=True)
class Customers:
    """One contact's grounds by the id of their record, oldest entry first, and the channels that are closed."""

    records: dict[str, Ground] = field(default_factory=dict)
    shut: dict[str, Shut] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    """Every record there ever was: a ground that says nothing more may still be taken back."""

    def record(self, customer: str, ground: Ground) -> None:
        """A ground was recorded."""
        self.known.add(customer)
        left = {name: one for name, one in self.records.items() if not _covers(ground, one)}
        if not any(_covers(one, ground) for one in left.values()):
            left[customer] = ground
        self.records = dict(list(left.items())[-MOST:])

    def lapse(self, customer: str, ended_on: str | None) -> None:
        """A relationship ended on a day, or the record was taken back."""
        found = self.records.pop(customer, None)
        if found is not None and ended_on is not None:
            self.records[customer] = found._replace(ended_on=ended_on)
            ordered = sorted(self.records.items(), key=lambda item: item[1].n)
            self.records = dict(ordered)

    def close(self, channel: str, at: str, *, dropped: bool = False) -> None:
        """The person said no on this channel."""
        self.shut[channel] = Shut(at, dropped)

    def reopen(self, channel: str, at: str) -> None:
        """The person confirmed something on this channel."""
        if self.shut.get(channel) != Shut(at, True):
            self.shut.pop(channel, None)


def _covers(one: Ground, other: Ground) -> bool:
    """Tells whether `one` is of the other's kind and nowhere older."""
    if one._replace(n=0, on="", ended_on=None) != other._replace(n=0, on="", ended_on=None):
        return False
    if (one.ended_on is None) is not (other.ended_on is None):
        return False
    return one.on >= other.on and (one.ended_on or "") >= (other.ended_on or "")
