"""The part of a standing that the existing-customer exception turns on: recorded grounds, and what closed it. Pure.

    "customers": [{"id", "n", "channel", "trigger", "on", "ended_on", "categories", "flags", "country", "person",
                   "capacity"}]
    "dropped": {"<channel>": at}      when a box was dropped on the confirm page, while that is what closed the channel

Both keys are missing when they would be empty. A ground is evidence, never consent: it decides nothing while its
channel is closed, and no ground opens a channel (Directive 2002/58/EC art. 13(2); product.md, objection).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# So many grounds decide at most, the newest ones: with more the row that every permit reads would grow without end.
MOST = 50
FIELDS = ("channel", "trigger", "country", "person", "capacity")
_KIND = ("channel", "trigger", "categories", "flags", "country", "person", "capacity")
Standing = dict[str, Any]


def flags_of(values: Mapping[str, Any]) -> list[str]:
    """Returns the conditions of art. 13(2) that a customer.recorded states, as words of law.model.FLAGS, in order.

    Another seller's sale is refused before it is recorded, so `same_person` always stands.
    """
    stated = {
        "same_person": True,
        "directly": values["obtained_from"] == "customer",
        "offered": values["offered_at_collection"],
        "refused": values["refused_at_collection"],
        "told": values["told_use_for_advertising"],
    }
    return [word for word, holds in stated.items() if holds]


def recorded(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    """A ground was recorded; a box that was refused then closes the exception on this channel."""
    item: dict[str, Any] = {name: values[name] for name in FIELDS} | {
        "id": values["customer"],
        "n": n,
        "on": values["on"],
        "ended_on": values["ended_on"],
        "categories": list(values["categories"]),
        "flags": flags_of(values),
    }
    kept = [one for one in after.get("customers", ()) if not _carries_less(one, item)]
    if not any(_carries_less(item, one) for one in kept):
        kept.append(item)
    keep(after, kept)
    if values["refused_at_collection"]:
        close(after, values["channel"], n)


def objected(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    """The person objected to marketing as a customer, on this channel."""
    close(after, values["channel"], n)


def lapsed(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    """A relationship ended on a day, and its ground is judged by that; or the ground is taken away."""
    ended_on = values["ended_on"]
    kept = []
    for one in after.get("customers", ()):
        if one["id"] != values["customer"]:
            kept.append(one)
        elif ended_on is not None:
            kept.append({**one, "ended_on": ended_on})
    keep(after, kept)


def keep(after: Standing, items: list[dict[str, Any]]) -> None:
    """Writes the grounds, in the order of their entries; of too many the newest."""
    if items:
        after["customers"] = sorted(items, key=lambda one: int(one["n"]))[-MOST:]
    else:
        after.pop("customers", None)


def close(after: Standing, channel: str, n: int, *, dropped_at: str | None = None) -> None:
    """Closes the exception for a channel; `dropped_at` when a box that was dropped on the confirm page did it."""
    after["closed"][channel] = n
    dropped = {one: at for one, at in after.get("dropped", {}).items() if one != channel}
    if dropped_at is not None:
        dropped[channel] = dropped_at
    _put_dropped(after, dropped)


def reopen(after: Standing, channel: str, at: str) -> None:
    """A confirmed act opens the channel again, unless the same press dropped a box there.

    Whichever of the two entries stands first: what a press dropped, its other boxes do not bring back.
    """
    dropped = dict(after.get("dropped", {}))
    if dropped.get(channel) == at:
        return
    after["closed"].pop(channel, None)
    dropped.pop(channel, None)
    _put_dropped(after, dropped)


def _put_dropped(after: Standing, dropped: dict[str, str]) -> None:
    if dropped:
        after["dropped"] = dropped
    else:
        after.pop("dropped", None)


def _carries_less(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Says whether a ground of the same kind is older in every respect, so that it decides nothing any more."""
    if any(one[name] != other[name] for name in _KIND):
        return False
    if (one["ended_on"] is None) != (other["ended_on"] is None):
        return False
    return bool(one["on"] <= other["on"] and (one["ended_on"] or "") <= (other["ended_on"] or ""))
