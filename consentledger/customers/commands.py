"""What the verbs about customers take and give: frozen, free of HTTP and of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

Outcome = Literal["recorded", "repeated", "suppressed", "refused", "lapsed"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row was refused: its field, a machine word, and a sentence."""

    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One sale or negotiation, read strictly; `seller` is the organisation's own legal name."""

    address: str = field(repr=False)
    channel: str
    reference: str = field(repr=False)
    trigger: str
    on: date
    ended_on: date | None
    categories: tuple[str, ...]
    seller: str
    obtained_from: str
    offered_at_collection: bool
    opt_out_wording: str | None
    refused_at_collection: bool
    told_use_for_advertising: bool
    country: str | None
    person: str
    capacity: str


@dataclass(frozen=True, slots=True)
class LapseRow:
    """One record to end: `ended_on` for a relationship that ended, None for a record taken back."""

    address: str = field(repr=False)
    channel: str
    reference: str = field(repr=False)
    reason: str
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class RecordCustomers:
    """Up to 5,000 rows as they were given, before anything is read of them.

    `first` is the number of the first row in its source. With `partial` the good rows are recorded and the others
    answered as refused; without it one bad row refuses all.
    """

    organisation_id: UUID
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    actor: str
    method: str
    source: str | None = None
    first: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class LapseCustomers:
    """Up to 5,000 rows that name records by address, channel and reference; all or none of them lapse."""

    organisation_id: UUID
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    actor: str


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row; `warnings` are machine words, `refusals` say why it was refused."""

    row: int
    outcome: Outcome
    customer_id: UUID | None = None
    entry_index: int | None = None
    leaf_hash: bytes | None = None
    warnings: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class RowsDone:
    """What became of each row, in order, and how many had each outcome."""

    rows: tuple[RowOutcome, ...]
    at: datetime

    def count(self, outcome: Outcome) -> int:
        """Returns how many rows had an outcome."""
        return sum(row.outcome == outcome for row in self.rows)


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """One record as its row keeps it. `carries` says that it is among the grounds that permits look at."""

    customer_id: UUID
    channel: str
    trigger: str
    on: str
    ended_on: str | None
    state: str
    recorded_at: datetime
    changed_at: datetime
    entry_index: int | None
    carries: bool


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """What is recorded of one address as a customer; `closed` are the channels on which the person said no."""

    contact_id: UUID | None
    closed: tuple[str, ...]
    customers: tuple[CustomerFacts, ...]
