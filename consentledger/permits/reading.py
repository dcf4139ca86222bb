"""Reads what is asked of permits from JSON bodies and rows: each slip is an InputError that names field and reason.

By hand and not by a schema: ten thousand recipients in one body would spend more time there than in the decision.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from consentledger.law.countries import normalise
from consentledger.law.model import CAPACITIES, CONTAINS, PERSONS
from consentledger.permits import rules
from consentledger.permits.rules import IssuePermits, wrong

Recipient = tuple[str, str | None, str | None, str | None]
"""(address, country, person, capacity)"""
_HEAD = frozenset(
    (
        "sender", "purpose", "channel", "class", "contains", "categories", "campaign", "send_at", "tracking",
        "valid_for",
    )
)  # fmt: skip
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z",
    re.ASCII,
)


def read_message(
    body: Mapping[str, Any], organisation_id: UUID, actor: str, now: datetime
) -> IssuePermits:
    """Reads the body of POST /permits with its recipients."""
    head = read_head(
        {name: value for name, value in body.items() if name != "recipients"},
        organisation_id,
        actor,
        now,
    )
    if body.get("recipients") is None:
        raise wrong("recipients", "missing", "this field is missing")
    return with_recipients(head, read_recipients(body["recipients"]))


def read_head(
    body: Mapping[str, Any], organisation_id: UUID, actor: str, now: datetime
) -> IssuePermits:
    """Reads all that a body says of its message; whoever reads recipients elsewhere adds them."""
    _unknown(body, _HEAD)
    for key in ("sender", "purpose", "channel"):
        if body.get(key) is None:
            raise wrong(key, "missing", "this field is missing")
    found = IssuePermits(
        organisation_id=organisation_id,
        sender_id=_uuid(body["sender"], "sender"),
        purpose_id=_uuid(body["purpose"], "purpose"),
        channel=_text(body["channel"], "channel"),
        recipients=(),
        actor=actor,
        message_class=_class(body.get("class")),
        campaign=None if body.get("campaign") is None else _campaign(body["campaign"]),
        valid_for=_valid_for(body.get("valid_for")),
        contains=_contains(body.get("contains")),
        categories=_categories(body.get("categories")),
        send_at=_instant(body.get("send_at")),
        tracking=None if body.get("tracking") is None else _uuid(body["tracking"], "tracking"),
    )
    rules.check_message(found)
    rules.check_send_at(found, now)
    return found


def with_recipients(head: IssuePermits, recipients: Sequence[Recipient]) -> IssuePermits:
    """Adds recipients to what was asked; what nobody said of anybody takes no room."""
    addresses, *said = zip(*recipients, strict=True) if recipients else ((), (), (), ())
    countries, persons, capacities = [one if any(one) else () for one in said]
    return replace(
        head, recipients=addresses, countries=countries, persons=persons, capacities=capacities
    )


def read_recipients(value: object) -> list[Recipient]:
    """Reads a list of recipients, as many as fit one request."""
    if not isinstance(value, list):
        raise wrong("recipients", "type", "recipients must be a list of addresses")
    rules.check_count(len(value))
    return [
        (one, None, None, None) if type(one) is str else read_recipient(one, f"recipients[{number}]")
        for number, one in enumerate(value)
    ]  # fmt: skip


def read_recipient(value: object, where: str) -> Recipient:
    """Reads one recipient: an address as text, or an object with it; `where` is said in errors."""
    if type(value) is str:
        return value, None, None, None
    if not isinstance(value, dict):
        raise wrong(where, "type", 'a recipient is an address, as text or as {"address": …}')
    address = value.get("address")
    if type(address) is not str:
        raise wrong(f"{where}.address", "missing", "a recipient needs an address, as text")
    for key in value:
        if key not in ("address", "country", "person", "capacity"):
            raise wrong(f"{where}.{str(key)[:64]}", "unknown", "this field is unknown")
    return (
        address,
        _country(value.get("country"), f"{where}.country"),
        _word(value.get("person"), PERSONS, f"{where}.person"),
        _word(value.get("capacity"), CAPACITIES, f"{where}.capacity"),
    )


def _country(value: object, where: str) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        raise wrong(where, "type", "a country is two letters, as text (ISO 3166-1)")
    return normalise(value, field=where)


def _word(value: object, words: Sequence[str], where: str) -> str | None:
    if value is None:
        return None
    if value not in words:
        raise wrong(where, "unknown", f"it is one of {', '.join(words)}")
    return str(value)


def _unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in sorted(body.keys() - known):
        raise wrong(str(key)[:64], "unknown", "this field is unknown")


def _class(value: object) -> str:
    if value is None:
        return "marketing"
    return value if isinstance(value, str) else ""  # check_message names what may stand here


def _campaign(value: object) -> str:
    if not isinstance(value, str):
        raise wrong("campaign", "format", "1 to 64 letters, digits, dots, dashes or underscores")
    return value


def _contains(value: object) -> tuple[str, ...]:
    found = _texts(value, "contains")
    for number, word in enumerate(found):
        if word not in CONTAINS:
            raise wrong(f"contains[{number}]", "unknown", f"it is one of {', '.join(CONTAINS)}")
    return tuple(sorted(set(found), key=CONTAINS.index))


def _categories(value: object) -> tuple[str, ...] | None:
    return None if value is None else tuple(dict.fromkeys(_texts(value, "categories")))


def _texts(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(type(one) is str for one in value):
        raise wrong(name, "type", f"{name} is a list of text")
    return value


def _instant(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if not isinstance(value, str) or _INSTANT.match(value) is None:
            raise ValueError(value)
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(
            "send_at", "format", "an instant with its offset, such as 2026-11-22T09:00:00Z"
        ) from None


def _valid_for(value: object) -> timedelta:
    if value is None:
        return rules.DEFAULT_VALID
    if type(value) is not int or not 1 <= value <= rules.MAX_VALID.total_seconds():
        raise wrong("valid_for", "range", "a whole number of seconds from 1 to 86400")
    return timedelta(seconds=value)


def _uuid(value: object, name: str) -> UUID:
    text = _text(value, name)
    try:
        found = UUID(text)
    except ValueError:
        raise wrong(name, "format", f"{name} must be an id (UUID)") from None
    if str(found) != text.lower():
        raise wrong(name, "format", f"{name} must be an id (UUID)")
    return found


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise wrong(name, "type", f"{name} must be short text")
    return value
