"""A contact's standing: the one row of facts that permits are decided from. Pure; rebuilt from entries alone.

    {"v": 1,
     "consents": {"<sender>/<purpose>/<channel>": {"id", "state", "n", "at"}},   state: confirmed or withdrawn
     "objections": [{"scope", "sender", "purpose", "channel", "n", "until"}],    until: null (final) or an instant
     "closed": {"<channel>": n}}                                                 what ends the customer exception

and, when there are any, the grounds of that exception (contacts.grounds).

`n` is the number of the entry among its contact's entries (that of its label), so that the order of acts is
known before the append and is the log's own. An act beats every older one: an objection covers a consent only
if its n is greater, and only a newer confirmed act opens again what it closed (product.md, objection).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from consentledger.contacts import grounds
from consentledger.kernel.clock import from_text

VERSION = 1
Standing = dict[str, Any]


def empty() -> Standing:
    """Returns the standing of a contact about whom nothing is recorded that decides anything."""
    return {"v": VERSION, "consents": {}, "objections": [], "closed": {}}


def key_of(sender: object, purpose: object, channel: str) -> str:
    """Returns the key of a consent in a standing; ids as UUIDs or as their text."""
    return f"{sender}/{purpose}/{channel}"


def consent_state(
    standing: Mapping[str, Any], sender: object, purpose: object, channel: str, now: datetime
) -> str:
    """Returns none, confirmed, paused or withdrawn, as it stands at `now`."""
    consent = standing["consents"].get(key_of(sender, purpose, channel))
    if consent is None:
        return "none"
    if consent["state"] == "confirmed" and objection(standing, sender, purpose, channel, now):
        return "paused"
    state: str = consent["state"]
    return state


def objection(
    standing: Mapping[str, Any], sender: object, purpose: object, channel: str, now: datetime
) -> dict[str, Any] | None:
    """Returns the newest objection that covers this and that no newer confirmed act opened again, or None."""
    consent = standing["consents"].get(key_of(sender, purpose, channel))
    opened = consent["n"] if consent and consent["state"] == "confirmed" else -1
    covering = [
        item
        for item in standing["objections"]
        if item["n"] > opened
        and covers(item, str(sender), str(purpose), channel)
        and in_force(item, now)
    ]
    return max(covering, key=lambda item: int(item["n"]), default=None)


def covers(item: Mapping[str, Any], sender: str, purpose: str, channel: str) -> bool:
    """Says whether an objection's scope covers a consent; an organisation-wide one covers every channel."""
    if item["scope"] == "organisation":
        return True
    if item["channel"] != channel or (item["sender"] is not None and item["sender"] != sender):
        return False
    return item["scope"] == "sender" or item["purpose"] is None or item["purpose"] == purpose


def in_force(item: Mapping[str, Any], now: datetime) -> bool:
    """Says whether an objection holds at `now`: a final one always does, a pause until its end."""
    return item["until"] is None or now < from_text(item["until"])


def stopped_since(
    standing: Mapping[str, Any],
    sender: object,
    purpose: object,
    channel: str,
    number: int,
    now: datetime,
) -> bool:
    """Says whether a stop behind entry `number` covers this: what was asked before it must not confirm."""
    consent = standing["consents"].get(key_of(sender, purpose, channel))
    if consent and consent["state"] == "withdrawn" and consent["n"] > number:
        return True
    return any(
        item["n"] > number
        and covers(item, str(sender), str(purpose), channel)
        and in_force(item, now)
        for item in standing["objections"]
    )


def living(standing: Mapping[str, Any], now: datetime) -> bool:
    """Says whether a consent, a ground or an objection in force must be remembered (else the contact may go)."""
    return "customers" in standing or says_no(standing, now)


def says_no(standing: Mapping[str, Any], now: datetime) -> bool:
    """Says whether a refusal must outlive the contact: of a consent, of everything, or of a customer."""
    if "customers" in standing and standing["closed"]:
        return True
    return bool(standing["consents"]) or any(in_force(item, now) for item in standing["objections"])


def apply(
    standing: Mapping[str, Any], kind: str, values: Mapping[str, Any], *, n: int, at: str
) -> Standing:
    """Returns the standing after one more entry of its contact; kinds that decide nothing change nothing.

    `values` are the entry's committed fields, `n` its number among the contact's entries, `at` its time.
    """
    after: Standing = {
        "v": VERSION,
        "consents": dict(standing["consents"]),
        "objections": list(standing["objections"]),
        "closed": dict(standing["closed"]),
        **{name: standing[name] for name in ("customers", "dropped") if name in standing},
    }
    change = _CHANGES.get(kind)
    if change:
        change(after, values, n, at)
    return after


def replay(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> Standing:
    """Returns the standing that a contact's entries (kind, values) give, from the first one on."""
    standing = empty()
    for n, (kind, values) in enumerate(entries):
        standing = apply(standing, kind, values, n=n, at=values["at"])
    return standing


def _confirmed(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    key = key_of(values["sender"], values["purpose"], values["channel"])
    after["consents"][key] = {"id": values["consent"], "state": "confirmed", "n": n, "at": at}
    grounds.reopen(after, values["channel"], at)


def _withdrawn(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    key = key_of(values["sender"], values["purpose"], values["channel"])
    after["consents"][key] = {"id": values["consent"], "state": "withdrawn", "n": n, "at": at}
    grounds.close(after, values["channel"], n)


def _declined(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    # A refused box never takes back an older consent: a stranger may have asked for it again.
    dropped = values["reason"] == "dropped"
    grounds.close(after, values["channel"], n, dropped_at=at if dropped else None)


def _objected(after: Standing, values: Mapping[str, Any], n: int, at: str) -> None:
    names = ("scope", "sender", "purpose", "channel", "until")
    item: dict[str, Any] = {name: values[name] for name in names}
    same = tuple(item[name] for name in names[:4])
    after["objections"] = [
        *(
            old
            for old in after["objections"]
            if tuple(old[name] for name in names[:4]) != same or not _replaces(item, old)
        ),
        {**item, "n": n},
    ]
    if item["until"] is not None:
        return
    grounds.close(after, item["channel"], n)
    if values.get("method") == "erasure":
        after.pop("customers", None)  # whoever is to be forgotten is no customer any more
    for key, consent in after["consents"].items():
        if consent["state"] == "confirmed" and covers(item, *key.split("/", 2)):
            after["consents"][key] = {**consent, "state": "withdrawn", "n": n, "at": at}


def _replaces(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Says whether a newer objection of the same scope makes an older one needless to remember."""
    if new["until"] is None or old["until"] is None:
        return bool(new["until"] == old["until"])
    return bool(old["until"] <= new["until"])  # texts of one form sort as times


_CHANGES = {
    "consent.confirmed": _confirmed,
    "consent.withdrawn": _withdrawn,
    "consent.declined": _declined,
    "objection.recorded": _objected,
    "customer.recorded": grounds.recorded,
    "customer.objected": grounds.objected,
    "customer.lapsed": grounds.lapsed,
}
