"""Where the stored rows of contacts differ from what their entries give: pure, but for opening sealed addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from consentledger.replay.model import UNKNOWN, Difference, History, Key, Row, Tables
from consentledger.replay.rules import merged_standing

_OWNED = ("contact", "consent", "consent_request", "confirmation_mail", "customer_record")
# Rows that stay as they are when the entry that made their state was erased.
_BY_ENTRY = ("consent", "customer_record")
OpenAddress = Callable[[Row], str | None]


class Grouped:
    """The stored rows of many contacts, by table and contact, and the links' by link."""

    def __init__(self, stored: Tables) -> None:
        self.stored = stored
        self._rows: dict[tuple[str, UUID], dict[Key, Row]] = {}
        self.links: dict[Key, dict[Key, Row]] = {}
        for name in _OWNED:
            for key, row in stored.of(name).items():
                owner = key[0] if name == "contact" else row["contact_id"]
                self._rows.setdefault((name, owner), {})[key] = row
        for key, row in stored.of("link_use").items():
            self.links.setdefault(key[:2], {})[key] = row

    def of(self, name: str, contact_id: UUID) -> dict[Key, Row]:
        """Returns one contact's rows of one table."""
        return dict(self._rows.get((name, contact_id), {}))


def contact_differences(
    history: History, derived: Tables, stored: Grouped, address_of: OpenAddress
) -> Iterator[Difference]:
    """Compares one contact's rows; `address_of` opens its row's address, None when it does not open."""
    for name in _OWNED:
        mine = stored.of(name, history.contact_id)
        for key, row in derived.of(name).items():
            found = mine.pop(key, None)
            if found is None:
                yield Difference(name, key)
                continue
            if name == "contact":
                found, row = _contact(history, found, row, address_of)
            columns = _unlike(row, found)
            if columns and not (name in _BY_ENTRY and found["entry_number"] in history.erased):
                yield Difference(name, key, columns)
        for key, row in mine.items():
            if not _excused(history, name, row):
                yield Difference(name, key, surplus=True)
    yield from _uses(history, derived, stored)
    yield from _suppressions(derived, stored.stored)


def _contact(
    history: History, stored: Row, derived: Row, address_of: OpenAddress
) -> tuple[Row, Row]:
    standing = merged_standing(derived["standing"], stored["standing"], history.erased)
    opened = address_of(stored) if derived["sealed_address"] is not UNKNOWN else None
    # An erasure that is asked for twice, or put off, touches the row without an entry.
    touched = stored["touched_at"]
    if derived["touched_at"] is UNKNOWN or touched >= derived["touched_at"]:
        derived = {**derived, "touched_at": touched}
    return {**stored, "sealed_address": opened}, {**derived, "standing": standing}


def _unlike(derived: Mapping[str, Any], stored: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        name
        for name, value in derived.items()
        if value is not UNKNOWN and not _same(value, stored.get(name))
    )


def _same(derived: Any, stored: Any) -> bool:
    return bool(derived == stored) and type(derived) is type(stored)


def _excused(history: History, name: str, row: Row) -> bool:
    """Says whether a row that no entry gives is one of an entry whose opening was erased."""
    erased = history.erased
    if name in _BY_ENTRY:
        return row["entry_number"] in erased
    if name == "consent_request":
        return bool(row["entry_numbers"]) and set(row["entry_numbers"]) <= erased
    if name == "confirmation_mail":
        return any(
            entry.n in erased and entry.kind == "confirmation.prepared" for entry in history.entries
        )
    return False


def _uses(history: History, derived: Tables, stored: Grouped) -> Iterator[Difference]:
    own = {entry.index for entry in history.entries}
    told = derived.of("link_use")
    kept: dict[Key, Row] = {}
    for link in {key[:2] for key in told}:
        kept |= stored.links.get(link, {})
    for key, row in told.items():
        found = kept.get(key)
        if found is None:
            yield Difference("link_use", key)
        elif columns := _unlike(row, found):
            yield Difference("link_use", key, columns)
    for key, row in kept.items():
        if key not in told and row["entry_index"] not in own:
            yield Difference("link_use", key, surplus=True)


def _suppressions(derived: Tables, stored: Tables) -> Iterator[Difference]:
    for key, row in derived.of("suppression").items():
        found = stored.of("suppression").get(key)
        if found is None:
            yield Difference("suppression", key)
            continue
        # A refusal by another contact of the same address may have prolonged it, or given it another reason.
        until, told = found["until_at"], row["until_at"]
        wrong = [] if until is None or (told is not None and until >= told) else ["until_at"]
        if wrong:
            yield Difference("suppression", key, tuple(wrong))


def table_differences(
    name: str, derived: Mapping[Key, Row], stored: Mapping[Key, Row]
) -> Iterator[Difference]:
    """Compares a small table whole; rows of drafts have no entry, and are nobody's finding."""
    for key, row in derived.items():
        found = stored.get(key)
        if found is None:
            yield Difference(name, key)
        elif columns := _unlike(row, found):
            yield Difference(name, key, columns)
    for key, row in stored.items():
        since = row.get("published_at", row.get("entry_index", row.get("voided_at")))
        if key not in derived and since is not None:
            yield Difference(name, key, surplus=True)
