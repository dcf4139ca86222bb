"""What a record of a customer must say: pure. Every row is read strictly, and each gap names field and reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from consentledger.contacts import address as addresses
from consentledger.customers.commands import CustomerRow, LapseRow, Refusal
from consentledger.kernel.errors import InputError
from consentledger.law import countries
from consentledger.law.model import CAPACITIES, PERSONS, TRIGGERS
from consentledger.organisations import fields

MOST_ROWS = 5_000
CHANNELS = ("email",)  # an address of a customer is an e-mail address today
MOST_CATEGORIES = 20
WORDING = 5_000
OBTAINED_FROM = ("customer", "published", "bought", "looked_up", "marketplace")
DIRECTLY = (
    "art. 13(2) wants the address from the customer in the sale: bought, looked-up and marketplace-held"
    " addresses need consent"
)
REASONS = ("taken_back", "ended")
UNMAPPED = "unmapped_category"
NO_CATEGORIES = "no_categories"
_CATEGORY = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+)*\Z", re.ASCII)
_LONGEST_CATEGORY = 200
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_EARLIEST = date(1990, 1, 1)
# Where today begins first: a sale of this morning in Auckland is not in the future.
_AHEAD = timedelta(hours=14)
ROW_FIELDS = (
    "address",
    "channel",
    "reference",
    "trigger",
    "on",
    "ended_on",
    "categories",
    "seller",
    "obtained_from",
    "offered_at_collection",
    "opt_out_wording",
    "refused_at_collection",
    "told_use_for_advertising",
    "country",
    "person",
    "capacity",
)
LAPSE_FIELDS = ("address", "channel", "reference", "reason", "ended_on")
Read = TypeVar("Read")


class Reader:
    """Reads the fields of one row and collects what is amiss with each."""

    def __init__(self, values: Mapping[str, Any], known: Iterable[str]) -> None:
        self._values = values
        self.refusals: list[Refusal] = []
        for name in values:
            if name not in known:
                self.refuse(str(name)[:100], "unknown", "there is no such field")

    def refuse(self, field: str, reason: str, message: str) -> None:
        """Notes what is amiss."""
        self.refusals.append(Refusal(field, reason, message))

    def given(self, field: str) -> Any:
        """Returns a field's value, None when it is missing."""
        return self._values.get(field)

    def read(self, field: str, reader: Callable[[Any], Read], default: Read) -> Read:
        """Reads a field; `default` where it is missing or amiss."""
        value = self.given(field)
        if value is None:
            return default
        try:
            return reader(value)
        except InputError as error:
            self.refuse(field, error.reason, str(error).removeprefix(f"{field}: "))
            return default

    def need(self, field: str, reader: Callable[[Any], Read], default: Read) -> Read:
        """Reads a field that must be there."""
        if self.given(field) is None:
            self.refuse(field, "missing", "is missing")
            return default
        return self.read(field, reader, default)


def read_row(
    values: Mapping[str, Any], *, legal_name: str, now: datetime
) -> CustomerRow | list[Refusal]:
    """Reads one row, or says all that is amiss with it. `legal_name` is the organisation's own, the only seller."""
    row = Reader(values, ROW_FIELDS)
    address = _who(row)
    trigger = row.need("trigger", one_of("trigger", TRIGGERS), "")
    on = row.need("on", day("on", now), _EARLIEST)
    wording = row.read(
        "opt_out_wording", lambda v: fields.text(v, "opt_out_wording", longest=WORDING), None
    )
    found = CustomerRow(
        address=address,
        channel=row.read("channel", one_of("channel", CHANNELS), "email"),
        reference=row.need("reference", _reference, ""),
        trigger=trigger,
        on=on,
        ended_on=_ended_on(row, trigger, on, now),
        categories=row.read("categories", _categories, ()),
        seller=_seller(row, legal_name),
        obtained_from=_obtained_from(row, trigger),
        offered_at_collection=row.need(
            "offered_at_collection", flag("offered_at_collection"), False
        ),
        opt_out_wording=wording,
        refused_at_collection=row.read(
            "refused_at_collection", flag("refused_at_collection"), False
        ),
        told_use_for_advertising=row.read(
            "told_use_for_advertising", flag("told_use_for_advertising"), False
        ),
        country=row.read("country", countries.normalise, None),
        person=row.read("person", one_of("person", PERSONS), "unknown"),
        capacity=row.read("capacity", one_of("capacity", CAPACITIES), "unknown"),
    )
    if found.offered_at_collection and row.given("opt_out_wording") is None:
        row.refuse("opt_out_wording", "missing", "an opt-out was offered: say in which words")
    return row.refusals or found


def read_lapse(values: Mapping[str, Any], *, now: datetime) -> LapseRow | list[Refusal]:
    """Reads which record lapses and why, or says all that is amiss."""
    row = Reader(values, LAPSE_FIELDS)
    reason = row.need("reason", one_of("reason", REASONS), "")
    ended_on = row.read("ended_on", day("ended_on", now), None)
    if reason == "ended" and row.given("ended_on") is None:
        row.refuse("ended_on", "missing", "say when the relationship ended")
    if reason == "taken_back" and row.given("ended_on") is not None:
        row.refuse("ended_on", "unfitting", "what is taken back has no end")
    found = LapseRow(
        address=_who(row),
        channel=row.read("channel", one_of("channel", CHANNELS), "email"),
        reference=row.need("reference", _reference, ""),
        reason=reason,
        ended_on=ended_on,
    )
    return row.refusals or found


def warnings_of(row: CustomerRow, mapped: Iterable[str]) -> tuple[str, ...]:
    """Returns what is not wrong but will make permits deny: categories that nobody mapped, or none at all."""
    if not row.categories:
        return (NO_CATEGORIES,)
    return () if set(row.categories) <= set(mapped) else (UNMAPPED,)


def one_of(field: str, words: Iterable[str]) -> Callable[[Any], str]:
    """Makes a reader of one of some words."""
    known = tuple(words)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise fields.wrong(field, "unknown", f"one of {', '.join(known)}")
        return value

    return read


def flag(field: str) -> Callable[[Any], bool]:
    """Makes a reader of true or false, and of nothing that only looks like it."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise fields.wrong(field, "type", "true or false")
        return value

    return read


def day(field: str, now: datetime) -> Callable[[Any], date]:
    """Makes a reader of an ISO date that is not in the future anywhere."""

    def read(value: Any) -> date:
        found = None
        if isinstance(value, str) and _DATE.match(value):
            try:
                found = date.fromisoformat(value)
            except ValueError:
                found = None
        if found is None:
            raise fields.wrong(field, "format", "a date as 2026-01-31")
        if found > (now + _AHEAD).date():
            raise fields.wrong(field, "future", "this day has not come yet")
        if found < _EARLIEST:
            raise fields.wrong(field, "range", f"not before {_EARLIEST}")
        return found

    return read


def _who(row: Reader) -> str:
    return row.need("address", lambda value: addresses.parse(value, "address").text, "")


def _reference(value: Any) -> str:
    return fields.line(value, "reference")


def _categories(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_CATEGORIES:
        raise fields.wrong("categories", "type", f"a list of at most {MOST_CATEGORIES}")
    for one in value:
        if not isinstance(one, str) or len(one) > _LONGEST_CATEGORY or not _CATEGORY.match(one):
            raise fields.wrong("categories", "format", "each as garden/tools: a-z, 0-9, _ and -")
    return tuple(sorted(set(value)))


def _seller(row: Reader, legal_name: str) -> str:
    given = row.read("seller", lambda value: fields.line(value, "seller"), legal_name)
    if " ".join(given.split()).casefold() != " ".join(legal_name.split()).casefold():
        row.refuse(
            "seller",
            "other_seller",
            f"art. 13(2) is for the same legal person's own customers: {legal_name}",
        )
    return legal_name


def _obtained_from(row: Reader, trigger: str) -> str:
    found = row.need("obtained_from", one_of("obtained_from", OBTAINED_FROM), "customer")
    if found == "published" and trigger == "published_address":
        return found
    if found != "customer":
        row.refuse("obtained_from", "not_from_customer", DIRECTLY)
    return found


def _ended_on(row: Reader, trigger: str, on: date, now: datetime) -> date | None:
    found = row.read("ended_on", day("ended_on", now), None)
    if found is None:
        return None
    if trigger != "ongoing_relationship":
        row.refuse("ended_on", "unfitting", "only an ongoing_relationship has an end")
    elif found < on:
        row.refuse("ended_on", "range", "it can't end before it began")
    return found
